"""Keys: every path of the API proper needs one, before anything else of a request is looked at."""

from fastapi import Request
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from complaints.api.edge.problem_handlers import refusal_response
from complaints.api.edge.refusals import Unauthenticated
from complaints.domain.errors import Unavailable
from complaints.handling.access import Caller
from complaints.handling.engine import Engine
from complaints.handling.keys import caller_of, known_caller

PROTECTED = "/v1/"

# For the OpenAPI document; the middleware does the work.
bearer = HTTPBearer(auto_error=False, description="An API key.")


class Authentication:
    """Finds the caller of a protected path by the key in `Authorization`, or answers 401."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through, with `scope["state"]["caller"]`, or refuse."""
        if scope["type"] == "http" and scope["path"].startswith(PROTECTED):
            try:
                caller = await self._caller(scope)
            except (
                Unavailable
            ) as away:  # here, outside of the application, nobody else would make it an answer
                await refusal_response(Request(scope), away)(scope, receive, send)
                return
            if caller is None:
                refusal = Unauthenticated("Send Authorization: Bearer <key> with a key that is valid.")
                await refusal_response(Request(scope), refusal)(scope, receive, send)
                return
            scope.setdefault("state", {})["caller"] = caller
        await self.app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller | None:
        sent = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(sent) != 1:
            return None
        scheme, _, secret = sent[0].decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            return None
        secret = secret.strip()
        engine: Engine = scope["app"].state.engine
        if (known := known_caller(engine, secret)) is not None:
            return known
        return await run_in_threadpool(engine.read, lambda tx: caller_of(engine, tx, secret))
