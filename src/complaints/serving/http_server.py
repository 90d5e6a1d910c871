"""The HTTP server: uvicorn with limits, timeouts, and problems as its own refusals. `cli` runs it.

The parser is httptools, which is written in C. h11 is pure Python and needs several times as long per request.
httptools does not limit the size of a head, and uvicorn does not limit its time. Both limits are here.
"""

import asyncio
import signal
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from types import FrameType
from typing import Any

import structlog
import uuid_utils
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from complaints.api.http.security_headers import SECURITY_HEADERS
from complaints.api.problems.catalogue import PROBLEMS, Problem, problem_response

HEAD_BYTES = 64 * 1024
"""The largest size of a request line with its headers, and of any framing between two bytes of a body."""

HEAD_SECONDS = 20.0
"""The time limit of a head, from its first byte to its last. On a new connection it starts at once."""

UNREAD_SECONDS = 20.0
"""The time in which a client must read something of its answer."""

UNREAD_BYTES = 20 * 1024
"""The bytes that a client must read in `UNREAD_SECONDS`, unless it reads all."""

_TICK_SECONDS = 1.0
_log = structlog.get_logger("complaints.server")


class _HeadTooLarge(Exception):
    """Stops the parser. uvicorn then calls `send_400_response`."""


class GuardedConfig(uvicorn.Config):
    """The settings of uvicorn, with the most connections that one address may have to this process (0: any number).

    `connections` are the numbers of connections, by address.
    """

    def __init__(self, *args: Any, connections_per_peer: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections_per_peer = connections_per_peer
        self.connections: Counter[str] = Counter()


class GuardedHttp(HttpToolsProtocol):
    """The protocol of uvicorn, with limits on heads and chunk framing, without trailers, with problems."""

    head_bytes = HEAD_BYTES
    head_seconds = HEAD_SECONDS
    unread_seconds = UNREAD_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unparsed_bytes = 0
        self._in_head = True
        self._head_too_large = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._unread_since: tuple[float, int] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time limit of the first head. Refuse a connection of a peer that has too many."""
        super().connection_made(transport)
        self._start_head_timer()
        if isinstance(self.config, GuardedConfig) and self.client:
            self._count_connection(self.config, self.client[0])

    def _count_connection(self, config: GuardedConfig, host: str) -> None:
        config.connections[host] += 1
        most = config.connections_per_peer
        if most and config.connections[host] > most:
            problem = PROBLEMS["too-many-requests"]
            self._refuse(
                problem, f"Your address may have {most} connections: close one, or use it for more calls."
            )

    def resume_writing(self) -> None:
        """Go on with the answer: its client has read enough of it."""
        self._unread_since = None
        super().resume_writing()

    def drop_if_unread(self, now: float) -> None:
        """Drop the connection if its client does not read its answer. The server calls this once a second.

        `now` is the time of the event loop in seconds.
        """
        left = self.transport.get_write_buffer_size()
        if left == 0:
            self._unread_since = None
        elif self._unread_since is None or left <= self._unread_since[1] - UNREAD_BYTES:
            self._unread_since = now, left
        elif now - self._unread_since[0] > self.unread_seconds:
            _log.warning("an answer was not read", unread_bytes=left)
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the time limit, and count the connection no more."""
        self._stop_head_timer()
        super().connection_lost(exc)
        if isinstance(self.config, GuardedConfig) and self.client:
            connections, host = self.config.connections, self.client[0]
            connections[host] -= 1
            if not connections[host]:
                del connections[host]  # so that it holds no more addresses than there are connections

    def data_received(self, data: bytes) -> None:
        """Parse the bytes. Refuse framing that grows beyond the limit without a complete part."""
        self._unparsed_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._unparsed_bytes > self.head_bytes:
            self._head_too_large = self._in_head
            self.send_400_response("The request's framing is too large.")
        elif self._in_head and self._unparsed_bytes:
            self._start_head_timer()
        elif not self._in_head:
            self._keep_watch()

    def _keep_watch(self) -> None:
        """Limit the wait for the rest of a body that nobody reads. uvicorn stops its own timer at the first byte."""
        answered = self.cycle.response_complete and not self.pipeline
        if answered and self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header. A trailer is dropped: it would be added to a request that already runs."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the request. Raises _HeadTooLarge if the complete head is too large."""
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self.head_bytes:
            self._head_too_large = True
            raise _HeadTooLarge
        self._in_head = False
        self._unparsed_bytes = 0
        self._stop_head_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass the bytes on. The size of the framing counts from 0 again."""
        self._unparsed_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request. The next bytes belong to the next head."""
        self._unparsed_bytes = 0
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that the parser cannot read. uvicorn calls this."""
        code = "head-too-large" if self._head_too_large else "bad-request"
        detail = "The request head is larger than 64 KiB." if self._head_too_large else msg
        self._refuse(PROBLEMS[code], detail)

    def _refuse(self, problem: Problem, detail: str) -> None:
        request_id = str(uuid_utils.uuid4())
        _log.warning("request refused by the server", problem=problem.code, request_id=request_id)
        if self._may_answer():
            self.transport.write(_raw_answer(problem, detail, request_id, self.server_state.default_headers))
        self.transport.close()

    def _may_answer(self) -> bool:
        """True if the next answer on this connection belongs to the refused request.

        If an earlier request still runs, its client would take the refusal for its own answer.
        """
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        return not self._in_head and not cycle.response_started and not self.pipeline

    def _start_head_timer(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_seconds, self._head_timed_out)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_timed_out(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self._unparsed_bytes:
            self._refuse(
                PROBLEMS["request-timeout"], "The request head took too long; the connection is closed."
            )
        else:
            self.transport.close()


def _raw_answer(problem: Problem, detail: str, request_id: str, defaults: list[tuple[bytes, bytes]]) -> bytes:
    response = problem_response(problem, detail=detail, scope=None, headers={"Connection": "close"})
    status = HTTPStatus(problem.status)
    lines = [b"HTTP/1.1 %d %s" % (status, status.phrase.encode("ascii"))]
    own = [(b"x-request-id", request_id.encode("ascii")), *SECURITY_HEADERS]
    lines += [b"%s: %s" % header for header in (*defaults, *response.raw_headers, *own)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + bytes(response.body)


class DrainingServer(uvicorn.Server):
    """A server that stops without a failed request.

    When it is asked to stop, it accepts no new connections. Every answer then has `Connection: close`, so that
    clients leave. After `drain_seconds` it closes idle connections. uvicorn alone closes them at once, and a
    request that is on its way is lost. Ctrl-C does not wait. `on_ready` is called when the server accepts requests,
    and `on_stop` when it begins to stop: then requests that wait must end.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        drain_seconds: float,
        on_ready: Callable[[], None] = lambda: None,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._wake: Callable[[], object] = lambda: None

    async def main_loop(self) -> None:
        """Wait for the end with one tick a second. The ten of uvicorn cost half of an idle process's time."""
        loop, asked = asyncio.get_running_loop(), asyncio.Event()
        self._wake = partial(loop.call_soon_threadsafe, asked.set)
        try:
            while not await self.on_tick(0):  # 0: each tick renews the header `Date`
                with suppress(TimeoutError):
                    await asyncio.wait_for(asked.wait(), _TICK_SECONDS)
        finally:
            self._wake = lambda: None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal that asks for the end, and wake the main loop."""
        super().handle_exit(sig, frame)
        self._wake()

    async def on_tick(self, counter: int) -> bool:
        """Renew the header `Date`, and drop the connections whose clients do not read."""
        now = self._loop_time()
        for connection in list(self.server_state.connections):
            if isinstance(connection, GuardedHttp):
                connection.drop_if_unread(now)
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then call `on_ready`."""
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain the connections, then stop as uvicorn does."""
        self._on_stop()
        if signal.SIGINT not in self._captured_signals:
            await self._drain()
        await super().shutdown(sockets)

    async def _drain(self) -> None:
        for server in self.servers:
            server.close()
        # Changed in place: running requests have a reference to this list.
        self.server_state.default_headers.append((b"connection", b"close"))
        _log.info("draining", connections=len(self.server_state.connections))
        await asyncio.sleep(0)  # connections that were just accepted join the list
        end = self._loop_time() + self._drain_seconds
        while self.server_state.connections and not self.force_exit and self._loop_time() < end:
            await asyncio.sleep(0.02)

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()


def server_config(
    app: ASGIApp | Callable[..., Any] | str,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    factory: bool = False,
    keep_alive_seconds: int = 75,
    graceful_shutdown_seconds: int = 30,
    trust_forwarded_from: str | None = None,
    connections_per_peer: int = 0,
    hsts_seconds: int = 0,
) -> GuardedConfig:
    """The settings of uvicorn for `app`.

    With `factory`, `app` is a function that makes the application. With several `workers` it is an import string.
    `keep_alive_seconds` is longer than the 60 s for which load balancers usually keep idle connections: they
    close a connection before the server does. At shutdown, running requests have `graceful_shutdown_seconds`.
    `X-Forwarded-*` headers count only from the addresses in `trust_forwarded_from`, separated by commas. One address
    may have `connections_per_peer` connections to the process (0: any number). With `hsts_seconds`, every answer tells
    browsers to use TLS for so long.
    """
    hsts = [("strict-transport-security", f"max-age={hsts_seconds}")] if hsts_seconds else []
    return GuardedConfig(
        app,
        host=host,
        port=port,
        workers=workers,
        factory=factory,
        http=GuardedHttp,
        ws="none",
        loop="auto",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=trust_forwarded_from is not None,
        forwarded_allow_ips=trust_forwarded_from or "",
        timeout_keep_alive=keep_alive_seconds,
        timeout_graceful_shutdown=graceful_shutdown_seconds,
        reset_contextvars=True,
        headers=hsts,
        connections_per_peer=connections_per_peer,
    )
