"""Refusals for reasons of HTTP, such as a missing key or a body that is too large. The domain has the others."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from starlette.exceptions import HTTPException

from complaints.domain.errors import ComplaintError, Fault


class HttpRefusal(ComplaintError):
    """A refusal for a reason of HTTP. `headers` go out with the answer."""

    code: ClassVar[str] = "bad-request"

    def __init__(
        self,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        allowed: Sequence[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail, faults=faults, allowed=allowed)
        self.headers = dict(headers or {})


class BadRequest(HttpRefusal):
    """The request cannot be understood: a bad cursor, an unknown filter or sort field."""


class Unauthenticated(HttpRefusal):
    """There is no key and no session, or the key is unknown, expired or revoked, or the session has ended."""

    kind = "forbidden"
    code = "unauthenticated"


class CrossSiteRequest(HttpRefusal):
    """A request with the cookie of a session that a page of this host did not start."""

    kind = "forbidden"
    code = "cross-site-request"


class UnsupportedMediaType(HttpRefusal):
    """The address does not take bodies of this media type."""

    code = "unsupported-media-type"


class ContentEncodingRefused(HttpRefusal):
    """The body is compressed or otherwise encoded."""

    code = "content-encoding-refused"


class PayloadTooLarge(HttpRefusal):
    """The body is larger than the limit of the address."""

    code = "payload-too-large"


class RequestTimeout(HttpRefusal):
    """No more of the body arrived in time."""

    code = "request-timeout"


class TooManyRequests(HttpRefusal):
    """The caller has used up one of its limits."""

    code = "too-many-requests"


class RefusalCarrier(HTTPException):
    """An HTTPException with a refusal inside, for code that runs while FastAPI reads a body.

    There FastAPI turns every other exception into a 400 without details.
    """

    def __init__(self, refusal: ComplaintError) -> None:
        super().__init__(status_code=400, detail=refusal.detail)
        self.refusal = refusal
