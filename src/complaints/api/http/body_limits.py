"""Limits on a request: headers that must not be repeated; the size, speed and encoding of its body. Pure ASGI.

The limits apply while the body is read, so a body that is too large is never collected in memory.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from complaints.api.problems.catalogue import faults_as_errors, problem_for, problem_response
from complaints.api.problems.refusals import (
    BadRequest,
    ContentEncodingRefused,
    PayloadTooLarge,
    RefusalCarrier,
    RequestTimeout,
)
from complaints.domain.errors import ComplaintError, InvalidContent, NotFound

MEBIBYTE = 1024 * 1024
SLOWEST_BYTES = 1024
"""The bytes a second that a body must have on average, once its first `stall_seconds` are over."""

_SINGLE = frozenset({b"host", b"idempotency-key", b"if-match"})
_HOST = re.compile(rb"(?:[\w.~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The limits on the bodies of requests.

    `body_bytes` is the largest size, unless `body_bytes_for(method, path)` returns another number.
    A body is refused if no byte of it arrives for `stall_seconds`, or if it is slower than 1 KiB/s after as long.
    After a 413, the server reads and drops up to
    `linger_bytes` more for up to `linger_seconds`: a client that is still sending must be able to read the answer.
    """

    body_bytes: int = MEBIBYTE
    stall_seconds: float = 20.0
    body_bytes_for: Callable[[str, str], int | None] | None = None
    linger_bytes: int = 8 * MEBIBYTE
    linger_seconds: float = 2.0

    def bytes_for(self, method: str, path: str) -> int:
        """The largest size of a body for this method and path, in bytes."""
        own = self.body_bytes_for(method, path) if self.body_bytes_for is not None else None
        return self.body_bytes if own is None else own


@dataclass(frozen=True, slots=True)
class _Head:
    """The headers that the limits look at. `length` is None without a Content-Length, `host` without a Host."""

    length: int | None
    has_body: bool
    encoding: str
    host: bytes | None


class BodyLimits:
    """Refuses bodies that are too large (413), too slow (408) or encoded (415), and NUL in addresses (404, 422)."""

    def __init__(self, app: ASGIApp, *, limits: RequestLimits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._limits.bytes_for(scope["method"], scope["path"])
        try:
            head = _read_head(scope)
            _check_head(scope, head, most)
        except ComplaintError as refusal:
            await self._refuse(refusal, scope, receive, send)
            return
        if not head.has_body:
            await self._app(scope, receive, send)
            return
        body = _LimitedBody(receive, send, limits=self._limits, most=most)
        await self._app(scope, body.receive, body.send)

    async def _refuse(self, refusal: ComplaintError, scope: Scope, receive: Receive, send: Send) -> None:
        problem = problem_for(refusal)
        scope.setdefault("state", {})["problem"] = problem.code
        errors = faults_as_errors(refusal.faults)
        response = problem_response(problem, detail=refusal.detail, scope=scope, errors=errors)
        body = _LimitedBody(receive, send, limits=self._limits, most=0)
        # A client that sent `Expect` waits for this answer before it sends the body: nothing to drain.
        body.cut = isinstance(refusal, PayloadTooLarge) and b"expect" not in dict(scope["headers"])
        await response(scope, receive, body.send)


def _read_head(scope: Scope) -> _Head:
    length: int | None = None
    has_body = False
    encodings: list[bytes] = []
    single: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = _content_length(value)
            has_body = has_body or length > 0
        elif name == b"transfer-encoding":
            has_body = True
        elif name == b"content-encoding":
            encodings.append(value)
        elif name in _SINGLE:
            if name in single:
                raise BadRequest(f"Send the header {name.decode().title()} once.")
            single[name] = value
    return _Head(length, has_body, b", ".join(encodings).decode("latin-1").strip(), single.get(b"host"))


def _content_length(value: bytes) -> int:
    if not (value.isdigit() and len(value) < 20):
        raise BadRequest("Content-Length is not a number of bytes.")
    return int(value)


def _check_head(scope: Scope, head: _Head, most: int) -> None:
    if head.host is None and scope["http_version"] != "1.0":
        raise BadRequest("Send the header Host.")
    if head.host is not None and not _is_host(head.host):
        raise BadRequest("The header Host is not a host with an optional port.")
    if "\0" in scope["path"]:
        raise NotFound("There is nothing at this address.")
    if b"%00" in scope["query_string"]:
        raise InvalidContent("The query holds a NUL character (%00); remove it.")
    if head.encoding and head.encoding.lower() != "identity":
        raise ContentEncodingRefused("Send the body as it is, without a Content-Encoding.")
    if head.length is not None and head.length > most:
        raise _too_large(most)


@lru_cache(maxsize=64)
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


def _too_large(most: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body may be at most {most} bytes here.")


class _LimitedBody:
    """Receive and send of one request. It counts the bytes of the body and limits the wait for more.

    After a cut, `receive` reports a disconnect, and `send` drains the connection before the answer ends.
    """

    __slots__ = ("_begun_at", "_limits", "_most", "_receive", "_send", "answered", "cut", "ended", "seen")

    def __init__(self, receive: Receive, send: Send, *, limits: RequestLimits, most: int) -> None:
        self._receive = receive
        self._send = send
        self._limits = limits
        self._most = most
        self._begun_at: float | None = None  # set by the first wait: most bodies arrive with their head
        self.seen = 0
        self.ended = False
        self.answered = False
        self.cut = False

    async def receive(self) -> Message:
        """The next part of the body. Raises RefusalCarrier if a limit is passed."""
        if self.cut:
            return {"type": "http.disconnect"}
        if self.ended or self.answered:
            return await self._receive()
        message = await self._next()
        self.seen += len(message.get("body", b""))
        self.ended = not message.get("more_body", False)
        if self.seen > self._most:
            self.cut = True
            raise RefusalCarrier(_too_large(self._most))
        return message

    async def _next(self) -> Message:
        """The next message. A timer costs more than the read, so it is set only if the message is not there yet."""
        receiving = self._receive()
        if not isinstance(receiving, Coroutine):
            return await receiving
        try:
            waits_for = receiving.send(None)
        except StopIteration as received:
            return received.value  # type: ignore[no-any-return]
        now, stall = asyncio.get_running_loop().time(), self._limits.stall_seconds
        if self._begun_at is None:
            self._begun_at = now
        slowest = self._begun_at + stall + self.seen / SLOWEST_BYTES
        try:
            async with asyncio.timeout_at(min(slowest, now + stall)):
                return await _Resumed(receiving, waits_for)
        except TimeoutError as stalled:
            self.ended = True
            refusal = RequestTimeout(
                f"The body is too slow: nothing for {stall:g} seconds, or less than {SLOWEST_BYTES} bytes a second. "
                "The connection is closed."
            )
            raise RefusalCarrier(refusal) from stalled

    async def send(self, message: Message) -> None:
        """Send part of the answer. Before the last part, the rest of a cut body is drained."""
        if message["type"] == "http.response.start":
            self.answered = True
        elif self.cut and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._drain()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _drain(self) -> None:
        """Read and drop the rest of the body. Closing with unread data resets the connection: the answer is lost."""
        left = 0 if self.ended else self._limits.linger_bytes
        # We stop draining after `linger_seconds`. The answer has been sent, so closing now is safe.
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.linger_seconds):
                while left > 0:
                    message = await self._receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return


class _Resumed:
    """Awaits the rest of a coroutine after its first step, in which it yielded `waits_for` (PEP 380)."""

    __slots__ = ("_coroutine", "_waits_for")

    def __init__(self, coroutine: Coroutine[Any, Any, Message], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Message]:
        waits_for = self._waits_for
        try:
            while True:
                try:
                    answer = yield waits_for
                except BaseException as thrown:
                    waits_for = self._coroutine.throw(thrown)
                else:
                    waits_for = self._coroutine.send(answer)
        except StopIteration as finished:
            return finished.value  # type: ignore[no-any-return]
