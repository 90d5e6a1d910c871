"""One request to the face: its caller, its edition, and the ways to read, write and answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from complaints.api.request import get_service, make_attempt, read_idempotency_key
from complaints.domain.json_text import encode
from complaints.tmf621.editions import Edition, Members
from complaints.use_cases.access import Caller
from complaints.use_cases.once import Answer, Attempt, answer_once
from complaints.use_cases.replica import service_for
from complaints.use_cases.service import Service, Transaction

FACE = "/tmf-api"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TmfRequest:
    """The facts that a route needs about its request. Every read and write runs in a thread."""

    http: Request
    service: Service
    caller: Caller
    edition: Edition

    @property
    def base(self) -> str:
        """The beginning of every `href`: the public address of the server, if it is known, and the path."""
        return base_of(self.service, self.edition)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one snapshot of the database."""
        return await run_in_threadpool(self.service.read, work)

    async def write(self, work: Callable[[Transaction], Answer]) -> Response:
        """Run `work` in one transaction and answer with its answer, once for each `Idempotency-Key`."""
        return await self._write(self.service.write, work)

    async def configure(self, work: Callable[[Transaction], Answer]) -> Response:
        """As `write`, for work that changes the configuration."""
        return await self._write(self.service.configure, work)

    async def _write(self, write: Any, work: Callable[[Transaction], Answer]) -> Response:
        attempt = await self.read_attempt()
        return self.respond(await run_in_threadpool(answer_once, write, attempt, work))

    async def read_attempt(self) -> Attempt | None:
        """The attempt of a POST with an `Idempotency-Key`, else None. Raises InvalidContent for a key of wrong form."""
        key = read_idempotency_key(self.http.scope) if self.http.method == "POST" else None
        return None if key is None else make_attempt(self.http.scope, key, await self.http.body())

    def respond(self, answer: Answer) -> Response:
        """The response with an answer."""
        replayed = {"Idempotency-Replayed": "true"} if answer.replayed else {}
        media_type = self.edition.content_type if answer.body else None
        return Response(answer.body, answer.status, {**answer.headers, **replayed}, media_type)


def make_answer(
    status: int, content: Members | Sequence[Members] | None, headers: Mapping[str, str] | None = None
) -> Answer:
    """An answer with JSON content; None: it has no body."""
    return Answer(status, b"" if content is None else encode(content), dict(headers or {}))


def base_of(service: Service, edition: Edition) -> str:
    """The beginning of every `href` of an edition."""
    return f"{service.public_url or ''}{FACE}{edition.path}"


def request_of(edition: Edition) -> Any:
    """The dependency of a route that gives its `TmfRequest`. `http.authentication` has found the caller before."""

    async def read(request: Request) -> TmfRequest:
        caller: Caller = request.scope["state"]["caller"]
        service = get_service(request)
        if request.method == "GET":
            service = service_for(service, request.app.state.replica, caller)
        return TmfRequest(request, service, caller, edition)

    return Depends(read)
