"""Refusals that only the edge can make: what HTTP itself, and not the domain, has to say no to."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from starlette.exceptions import HTTPException

from complaints.domain.errors import ComplaintError, Fault


class EdgeRefusal(ComplaintError):
    """A refusal with its own entry in the catalogue of problems. `headers` go out with the answer."""

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


class BadRequest(EdgeRefusal):
    """The request itself makes no sense: a bad cursor, an unknown filter or sort field."""


class Unauthenticated(EdgeRefusal):
    """No key, or one that is unknown, expired or revoked."""

    kind = "forbidden"
    code = "unauthenticated"


class UnsupportedMediaType(EdgeRefusal):
    """The body is of a type this address does not take."""

    code = "unsupported-media-type"


class ContentEncodingRefused(EdgeRefusal):
    """The body is compressed or otherwise encoded."""

    code = "content-encoding-refused"


class PayloadTooLarge(EdgeRefusal):
    """The body is larger than this address takes."""

    code = "payload-too-large"


class RequestTimeout(EdgeRefusal):
    """The body stopped arriving."""

    code = "request-timeout"


class CarriedRefusal(HTTPException):
    """Carries a refusal out of places where FastAPI lets nothing but an HTTPException through.

    While it reads a body, FastAPI turns every other exception into a bare 400.
    """

    def __init__(self, refusal: ComplaintError) -> None:
        super().__init__(status_code=400, detail=refusal.detail)
        self.refusal = refusal
