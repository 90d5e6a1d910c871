"""Who is calling: every path below `/v1/` needs a key or the cookie of a session, except for the ways to sign in.

So do the paths of faces for other programs.

The caller is found before the rest of the request is read.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import unquote

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from complaints.api.http.request_heads import refuse_other_sites
from complaints.api.http.session_cookies import SECURE_COOKIE, read_session_token
from complaints.api.http.turns import Line
from complaints.api.problems.handlers import refusal_response
from complaints.api.problems.refusals import Unauthenticated
from complaints.domain.errors import ComplaintError
from complaints.use_cases.access import Caller
from complaints.use_cases.accounts.sessions import (
    SessionCaller,
    find_session_caller,
    find_session_callers,
    use_session,
)
from complaints.use_cases.configuration.keys import caller_of, known_caller
from complaints.use_cases.service import Service, Transaction

PROTECTED = "/v1/"
ACCESS_SECONDS = 2.0
"""The caller of a long request is looked up again so often: does its key, its session, its right still hold?"""

SIGN_IN = frozenset(
    {
        ("POST", "/v1/session"),
        ("POST", "/v1/password-links"),
        ("GET", "/v1/session/openid"),
        ("GET", "/v1/session/openid/callback"),
    }
)
"""The calls that need neither a key nor a session, because they make one."""

_READER = b"console-login"
"""The login of the user who has the page, as scripts of the console send it, percent-encoded."""

SessionFinder = Callable[..., SessionCaller | None]
_SCHEMES = {
    "HTTPBearer": {"type": "http", "description": "An API key.", "scheme": "bearer"},
    "SessionCookie": {
        "type": "apiKey",
        "description": "The session of a user, from `POST /v1/session`.",
        "in": "cookie",
        "name": SECURE_COOKIE,
    },
}


def describe_keys(document: dict[str, Any]) -> None:
    """Mark the operations that need a key or a session, in place.

    A security dependency of FastAPI would mark them too, but FastAPI would run it for every request.
    """
    document.setdefault("components", {})["securitySchemes"] = _SCHEMES
    for path, operations in document["paths"].items():
        if path.startswith(PROTECTED):
            for method, operation in operations.items():
                signs_in = (method.upper(), path) in SIGN_IN
                operation["security"] = [] if signs_in else [{name: []} for name in _SCHEMES]


class Authentication:
    """Finds the caller of a protected path by the key in `Authorization`, else by the cookie of a session.

    The paths below `/v1/` and below `faces` are protected.

    Without either it answers 401. A request that a page of another site started with the cookie gets 403. If the
    database is out of reach, it answers 503. Refusals go out one after the other: guessing keys, or a flood without
    a key, leaves time for others.
    """

    def __init__(self, app: ASGIApp, *, faces: Iterable[str] = ()) -> None:
        self.app = app
        self._protected = (PROTECTED, *(f"{path}/" for path in faces))
        self._refusals = Line()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with `scope["state"]["caller"]`, or refuse it."""
        if scope["type"] == "http" and scope["path"].startswith(self._protected):
            try:
                await _admit(scope)
            except ComplaintError as refusal:  # exception handlers do not cover middleware
                await self._refusals.pass_through()
                await refusal_response(Request(scope), refusal)(scope, receive, send)
                return
        await self.app(scope, receive, send)


async def _admit(scope: Scope) -> None:
    if (scope["method"], scope["path"]) in SIGN_IN:
        refuse_other_sites(scope, silent_too=False)
    else:
        scope.setdefault("state", {})["caller"] = await find_caller(scope)


async def find_caller(scope: Scope, *, again: bool = False) -> Caller:
    """The caller of a request, as it is now. A long request asks `again`: the key or the session may have ended.

    To ask again is no use of the session. Raises Unauthenticated, CrossSiteRequest or Unavailable.
    """
    service: Service = scope["app"].state.service
    if sent := _find_authorizations(scope):
        caller = await _key_caller(service, _secret_in(sent))
    else:
        caller = await _session_caller(service, scope, find_session_caller if again else use_session)
    if caller is None:
        raise Unauthenticated("Send Authorization: Bearer <key> with a key that is valid.")
    return caller


async def _key_caller(service: Service, secret: str) -> Caller | None:
    caller = known_caller(service, secret) if secret else None
    if secret and caller is None:
        caller = await run_in_threadpool(service.read, lambda tx: caller_of(service, tx, secret))
    return caller


async def _session_caller(service: Service, scope: Scope, find: SessionFinder) -> Caller | None:
    """The user of the session in the cookie. `scope["state"]["session"]` gets the session."""
    token = read_session_token(scope)
    if not token:
        return None
    refuse_other_sites(scope)
    state = scope["app"].state
    found = await run_in_threadpool(find, service, token, now=state.wall(), limits=state.session_limits)
    if found is None:
        raise Unauthenticated("The session has ended: sign in again.")
    _refuse_other_readers(scope, found.caller)
    scope.setdefault("state", {})["session"] = found.session
    return found.caller


def _refuse_other_readers(scope: Scope, caller: Caller) -> None:
    """Refuse a request from a page of another user: two users may sign in in one browser. Raises Unauthenticated."""
    readers = [value for name, value in scope["headers"] if name == _READER]
    if any(unquote(reader.decode("latin-1")) != caller.login for reader in readers):
        raise Unauthenticated("Another user has signed in in this browser: sign in again.")


def find_callers_again(scopes: Sequence[Scope]) -> list[Caller | None]:
    """The callers of many long requests, as they are now; None for a key or a session that has ended.

    One transaction finds them all. That is no use of the sessions. Blocks. Raises Unavailable.
    """
    if not scopes:
        return []
    state = scopes[0]["app"].state
    service: Service = state.service
    keys = {read_secret(scope) for scope in scopes if _find_authorizations(scope)}
    tokens = {read_secret(scope) for scope in scopes if not _find_authorizations(scope)}

    def find(tx: Transaction) -> dict[str, Caller | None]:
        found = find_session_callers(service, tx, tokens, now=state.wall(), limits=state.session_limits)
        return {**found, **{secret: caller_of(service, tx, secret) for secret in keys}}

    callers = service.read(find)
    return [callers.get(read_secret(scope)) for scope in scopes]


def read_secret(scope: Scope) -> str:
    """The secret that shows who is calling: the key, or the token of the session. "" if the request has neither."""
    sent = _find_authorizations(scope)
    return _secret_in(sent) if sent else read_session_token(scope)


def _find_authorizations(scope: Scope) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == b"authorization"]


def _secret_in(sent: list[bytes]) -> str:
    """The key in the only `Authorization` header; "" if there are several, or another scheme."""
    if len(sent) != 1:
        return ""
    scheme, _, secret = sent[0].decode("latin-1").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""
