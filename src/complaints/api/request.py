"""One call of the API: who calls, what they repeat, which version they mean; and how it is answered."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from complaints.domain.errors import InvalidContent
from complaints.domain.json_text import encode
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.once import Answer, Attempt, answer_once
from complaints.use_cases.replica import service_for
from complaints.use_cases.service import Service, Transaction

JSON = "application/json"
Shown = tuple[int, Mapping[str, Any] | None, dict[str, str]]  # status, JSON (None: no body), headers
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ETAG = re.compile(r'(?:W/)?"([0-9]{1,9})"')


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What an endpoint needs of its request. `versions` are those `If-Match` names; None: any."""

    service: Service
    caller: Caller
    attempt: Attempt | None
    versions: frozenset[int] | None

    def write(
        self, work: Callable[[Transaction], Shown], *, reveal: Callable[[bytes], bytes] = bytes
    ) -> Response:
        """Answer with what `work` says (status, JSON, headers) in one transaction, the first time.

        `reveal` makes what is sent of what is kept for a repetition, where that may not hold everything.
        """

        def rendered(tx: Transaction) -> Answer:
            return rendering(work(tx))

        return response_of(answer_once(self.service, self.attempt, rendered), reveal=reveal)

    def configure(
        self, work: Callable[[Transaction], Shown], *, reveal: Callable[[bytes], bytes] = bytes
    ) -> Response:
        """As `write`, for work that changes reference data: this process goes by the new ones at once."""
        response = self.write(work, reveal=reveal)
        self.service.cache.expire()
        return response

    def read(self, work: Callable[[Transaction], Shown]) -> Response:
        """Answer with what `work` reads from one snapshot."""
        status, shown, headers = self.service.read(work)
        return _response(status, _body(shown), headers)


def rendering(shown: Shown) -> Answer:
    """What is shown, ready to be sent and kept."""
    status, content, headers = shown
    return Answer(status, _body(content), headers)


def response_of(answer: Answer, *, reveal: Callable[[bytes], bytes] = bytes) -> Response:
    """The response that sends an answer."""
    replayed = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    return _response(answer.status, reveal(answer.body), {**answer.headers, **replayed})


def _body(shown: Mapping[str, Any] | None) -> bytes:
    return b"" if shown is None else encode(shown)


def _response(status: int, body: bytes, headers: dict[str, str]) -> Response:
    return Response(body, status, headers, JSON if body else None)


def service_of(request: Request) -> Service:
    """The engine of the application that serves the request."""
    service: Service = request.app.state.service
    return service


async def read_call(request: Request) -> CallFacts:
    """The facts of a call; its key was checked before (`authentication`)."""
    caller: Caller = request.scope["state"]["caller"]
    attempt = None
    if request.method == "POST" and (key := request.headers.get("idempotency-key")) is not None:
        if not _KEY.fullmatch(key):
            raise InvalidContent("Idempotency-Key must be 1 to 255 visible ASCII characters.")
        content = request.scope["query_string"] + b"\n" + await request.body()
        attempt = Attempt.of(caller, request.scope["path"], key, content)
    service = service_for(service_of(request), request.app.state.replica, caller)
    return CallFacts(service, caller, attempt, _versions(request.headers.get("if-match")))


def _versions(if_match: str | None) -> frozenset[int] | None:
    if if_match is None or if_match.strip() == "*":
        return None
    return frozenset(int(version) for version in _ETAG.findall(if_match))


Call = Annotated[CallFacts, Depends(read_call)]


def needs(right: Right) -> Any:
    """A dependency that refuses callers without `right`."""

    async def check(request: Request) -> None:
        request.scope["state"]["caller"].require(right)

    return Depends(check)


def call_with(right: Right) -> Any:
    """`needs` and `Call` as one dependency, for where every tenth of a millisecond counts."""

    async def check_and_read(request: Request) -> CallFacts:
        request.scope["state"]["caller"].require(right)
        return await read_call(request)

    return Depends(check_and_read)
