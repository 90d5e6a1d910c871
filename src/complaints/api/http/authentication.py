"""Keys: every path below `/v1/` needs one. The key is checked before the rest of the request."""

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from complaints.api.http.turns import Line
from complaints.api.problems.handlers import refusal_response
from complaints.api.problems.refusals import Unauthenticated
from complaints.domain.errors import ComplaintError
from complaints.use_cases.access import Caller
from complaints.use_cases.configuration.keys import caller_of, known_caller
from complaints.use_cases.service import Service

PROTECTED = "/v1/"

_SCHEME = {"HTTPBearer": {"type": "http", "description": "An API key.", "scheme": "bearer"}}


def describe_keys(document: dict[str, Any]) -> None:
    """Mark the operations that need a key, in place.

    A security dependency of FastAPI would mark them too, but FastAPI would run it for every request.
    """
    document.setdefault("components", {})["securitySchemes"] = _SCHEME
    for path, operations in document["paths"].items():
        if path.startswith(PROTECTED):
            for operation in operations.values():
                operation["security"] = [{name: []} for name in _SCHEME]


class Authentication:
    """Finds the caller of a protected path by the key in `Authorization`. Without a valid key it answers 401.

    If the database is out of reach, it answers 503. Refusals go out one after the other: guessing keys, or a flood
    without a key, leaves time for others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._refusals = Line()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with `scope["state"]["caller"]`, or refuse it."""
        if scope["type"] == "http" and scope["path"].startswith(PROTECTED):
            try:
                caller = await self._caller(scope)
            except ComplaintError as refusal:  # exception handlers do not cover middleware
                await self._refusals.pass_through()
                await refusal_response(Request(scope), refusal)(scope, receive, send)
                return
            scope.setdefault("state", {})["caller"] = caller
        await self.app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller:
        """The caller. Raises Unauthenticated or Unavailable."""
        secret = _secret(scope)
        service: Service = scope["app"].state.service
        caller = known_caller(service, secret) if secret else None
        if secret and caller is None:
            caller = await run_in_threadpool(service.read, lambda tx: caller_of(service, tx, secret))
        if caller is None:
            raise Unauthenticated("Send Authorization: Bearer <key> with a key that is valid.")
        return caller


def _secret(scope: Scope) -> str:
    """The key of the request; "" without a key or with several `Authorization` headers."""
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(sent) != 1:
        return ""
    scheme, _, secret = sent[0].decode("latin-1").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""
