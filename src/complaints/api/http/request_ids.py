"""The outermost middleware: an id for every request, in its answer and in its log lines. Pure ASGI.

It also adds the security headers to every answer, and answers HEAD as GET without a body. It writes the request log,
and turns unexpected exceptions into a 500. A line of the request log has the caller, the address of the peer and the
complaint, as far as they are known. The line of a page has the complaints whose persons the page showed in clear. No
line has a query string, because that may hold personal data. The rest of the path of a page for people is its secret,
so no line has it.
"""

import re
from collections.abc import Callable, Iterable
from time import perf_counter

import structlog
import uuid_utils
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from complaints.api.http.security_headers import SECURITY_HEADERS
from complaints.api.problems.catalogue import PROBLEMS, instance_of, problem_response
from complaints.api.problems.html_pages import page_prefix_of
from complaints.domain.errors import clip
from complaints.logs import describe_exception
from complaints.use_cases.access import Caller

Observer = Callable[[str, str, int, float], None]
"""Called after every answer with the method, the route template ("" for none), the status and the seconds."""

_VISIBLE_ASCII = re.compile(rb"[\x21-\x7e]{1,128}")
_IS_HEAD = "is_head"
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_SECURITY_NAMES = frozenset(name for name, _ in SECURITY_HEADERS)
_log = structlog.get_logger("complaints.http")


class RequestIds:
    """Gives every request its id: the `X-Request-ID` of the client, or a new one.

    An id has 1 to 128 visible ASCII characters. It is in `scope["state"]["request_id"]` and in every log line of
    the request. `observe` is called after every answer. `access_log` switches the log line per request.
    """

    def __init__(self, app: ASGIApp, *, observe: Observer | None = None, access_log: bool = True) -> None:
        self._app = app
        self._observe = observe
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request under its id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {}).update({"request_id": request_id, _IS_HEAD: scope["method"] == "HEAD"})
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        answer = _Answer(send, request_id)
        started = perf_counter()
        # The server has the first scope: it leaves out the body of the answer to a HEAD.
        handled = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self._app(handled, receive, answer.send)
        except ClientDisconnect:
            # The client has left, so there is no answer. The request log has the problem "client-left".
            scope["state"]["problem"] = "client-left"
        except Exception as failure:
            _log.error(
                "request failed",
                raised=describe_exception(failure),
                method=scope["method"],
                path=_path_for_log(scope),
            )
            if answer.status == 0:
                await _internal_error(scope, request_id)(scope, receive, answer.send)
        finally:
            self._record(scope, route_template(handled), answer.status, perf_counter() - started)

    def _record(self, scope: Scope, route: str, status: int, seconds: float) -> None:
        if self._observe is not None:
            self._observe(scope["method"], route, status, seconds)
        if not self._access_log:
            return
        write = _log.debug if scope["path"] in _QUIET else _log.info
        state, client = scope["state"], scope.get("client")
        caller: Caller | None = state.get("caller")
        write(
            "request",
            method=scope["method"],
            path=_path_for_log(scope),
            status=status,
            duration_ms=round(seconds * 1000, 2),
            problem=state.get("problem"),
            actor=caller.actor if caller else None,
            peer=client[0] if client else None,
            complaint=state.get("complaint") or _reference(scope),
            persons_of=state.get("persons_of"),
        )


def _path_for_log(scope: Scope) -> str:
    prefix = page_prefix_of(scope)
    return clip(instance_of(scope)) if prefix is None else f"{prefix}/…"


def is_head(scope: Scope) -> bool:
    """True if the client asked by HEAD. The request is handled as GET, and its body is left out.

    A stream asks for it: it would never end if it went on after its head.
    """
    return bool(scope["state"].get(_IS_HEAD))


def _reference(scope: Scope) -> str | None:
    """The complaint that the path names, by its id or number as the client wrote it; None for any other text.

    No id or number has other characters than ASCII, and among those are some that move the cursor of a terminal.
    """
    reference: str | None = scope.get("path_params", {}).get("reference")
    return clip(reference, 40) if reference and reference.isascii() and reference.isprintable() else None


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _VISIBLE_ASCII.fullmatch(value):
            return str(value, "ascii")
    return str(uuid_utils.uuid4())


def _internal_error(scope: Scope, request_id: str) -> ASGIApp:
    scope["state"]["problem"] = "internal-error"
    return problem_response(
        PROBLEMS["internal-error"],
        detail=f"Something failed on our side. Quote the request id {request_id} when you report it.",
        scope=scope,
        request_id=request_id,
    )


def route_template(scope: Scope) -> str:
    """The template of the route of the request, such as `/v1/complaints/{id}`; "" if no route matched.

    The route of a mounted application begins with the path of its mount. A layer that answers in place of a route puts
    the template into `scope["state"]["route"]`.
    """
    if "route" in (state := scope.get("state", {})):
        return str(state["route"])
    context = scope.get("fastapi", {}).get("effective_route_context")
    path = getattr(context, "path", None) or getattr(scope.get("route"), "path", None)
    return str(scope.get("root_path", "")) + path if isinstance(path, str) else ""


class _Answer:
    """Sends an answer and adds the headers that every answer has. `status` is 0 until the answer starts."""

    __slots__ = ("_request_id", "_send", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode("ascii")
        self.status = 0

    async def send(self, message: Message) -> None:
        """Send part of the answer. The first part gets the headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), *self._own(message)]}
        await self._send(message)

    def _own(self, message: Message) -> list[tuple[bytes, bytes]]:
        sent = dict(message.get("headers", ()))
        headers: Iterable[tuple[bytes, bytes]] = SECURITY_HEADERS
        if not _SECURITY_NAMES.isdisjoint(sent):
            headers = [header for header in SECURITY_HEADERS if header[0] not in sent]
        return [(b"x-request-id", self._request_id), *headers]
