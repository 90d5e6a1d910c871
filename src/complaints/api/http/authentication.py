"""Keys: every path of the API proper needs one, before anything else of a request is looked at."""

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from complaints.api.problems.handlers import refusal_response
from complaints.api.problems.refusals import Unauthenticated
from complaints.domain.errors import ComplaintError
from complaints.use_cases.access import Caller
from complaints.use_cases.configuration.keys import caller_of, known_caller
from complaints.use_cases.service import Service

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
    """Finds the caller of a protected path by the key in `Authorization`, or answers 401, or 503."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through, with `scope["state"]["caller"]`, or refuse."""
        if scope["type"] == "http" and scope["path"].startswith(PROTECTED):
            try:
                caller = await self._caller(scope)
            except ComplaintError as refusal:  # no handler of errors stands around this
                await refusal_response(Request(scope), refusal)(scope, receive, send)
                return
            scope.setdefault("state", {})["caller"] = caller
        await self.app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller:
        """Who calls. Raises Unauthenticated, Unavailable."""
        secret = _secret(scope)
        service: Service = scope["app"].state.service
        caller = known_caller(service, secret) if secret else None
        if secret and caller is None:
            caller = await run_in_threadpool(service.read, lambda tx: caller_of(service, tx, secret))
        if caller is None:
            raise Unauthenticated("Send Authorization: Bearer <key> with a key that is valid.")
        return caller


def _secret(scope: Scope) -> str:
    """The key that was sent; "" if none was, or more than one."""
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(sent) != 1:
        return ""
    scheme, _, secret = sent[0].decode("latin-1").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""
