"""Keys: every path of the API proper needs one, before anything else of a request is looked at."""

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from complaints.api.edge.problem_handlers import refusal_response
from complaints.api.edge.refusals import Unauthenticated
from complaints.handling.access import Caller
from complaints.handling.engine import Engine
from complaints.handling.keys import caller_of, known_caller

PROTECTED = "/v1/"

_SCHEME = {"HTTPBearer": {"type": "http", "description": "An API key.", "scheme": "bearer"}}


def describe_keys(document: dict[str, Any]) -> None:
    """Say in the OpenAPI document which operations need a key; changed in place.

    A security dependency of the framework would say so too, and be solved anew for every request.
    """
    document.setdefault("components", {})["securitySchemes"] = _SCHEME
    for path, operations in document["paths"].items():
        if path.startswith(PROTECTED):
            for operation in operations.values():
                operation["security"] = [{name: []} for name in _SCHEME]


class Authentication:
    """Finds the caller of a protected path by the key in `Authorization`, or answers 401."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through, with `scope["state"]["caller"]`, or refuse."""
        if scope["type"] == "http" and scope["path"].startswith(PROTECTED):
            caller = await self._caller(scope)
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
