"""How uvicorn is run: its limits, its timeouts, and answers of ours where it refuses a request by itself.

The parser is httptools, in C; h11, in pure Python, takes several times as long per request. httptools holds
no limit on the size of a head, and uvicorn none on the time it takes, so both are held here.
"""

import asyncio
import signal
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
import uuid_utils
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from complaints.api.problems.catalogue import PROBLEMS, Problem, problem_response

HEAD_BYTES = 64 * 1024
"""The most a request line and its headers may take together, or any framing between bytes of a body."""

HEAD_SECONDS = 20.0
"""How long a head may take from its first byte (on a new connection, from the connection) to its last."""

_log = structlog.get_logger("complaints.server")


class _HeadTooLarge(Exception):
    """Stops the parser; uvicorn then asks for the answer to a bad request."""


class GuardedHttp(HttpToolsProtocol):
    """The protocol of uvicorn, with limits on heads, chunk framing, trailers, and problems as refusals."""

    head_bytes = HEAD_BYTES
    head_seconds = HEAD_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unparsed_bytes = 0
        self._in_head = True
        self._head_too_large = False
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A head must come, and within its time."""
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse what grows without getting anywhere."""
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
        """Time the rest of a body that nobody reads: uvicorn stops its timer at the first byte that comes."""
        answered = self.cycle.response_complete and not self.pipeline
        if answered and self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; a trailer would join those of a request that is already being handled."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the request, unless its head, though complete, is too large."""
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self.head_bytes:
            self._head_too_large = True
            raise _HeadTooLarge
        self._in_head = False
        self._unparsed_bytes = 0
        self._stop_head_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Progress."""
        self._unparsed_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next bytes are another head."""
        self._unparsed_bytes = 0
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser cannot read; uvicorn calls this."""
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
        """Whether the next answer on this connection is the one to the request that is refused.

        Otherwise an earlier request is still being handled, and would be taken for refused.
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
    response = problem_response(problem, detail=detail, instance="", headers={"Connection": "close"})
    status = HTTPStatus(problem.status)
    lines = [b"HTTP/1.1 %d %s" % (status, status.phrase.encode("ascii"))]
    own = [(b"x-request-id", request_id.encode("ascii")), (b"x-content-type-options", b"nosniff")]
    lines += [b"%s: %s" % header for header in (*defaults, *response.raw_headers, *own)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + bytes(response.body)


class DrainingServer(uvicorn.Server):
    """A server that no client sees go.

    Asked to end it takes no more connections, and tells those it has, with each answer, not to come again. It
    closes what is idle `drain_seconds` later: uvicorn alone would do so at once, under requests on their way.
    Ctrl-C does not wait. `on_ready` is called when requests are taken.
    """

    def __init__(
        self, config: uvicorn.Config, *, drain_seconds: float, on_ready: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then end as uvicorn does."""
        if signal.SIGINT not in self._captured_signals:
            await self._drain()
        await super().shutdown(sockets)

    async def _drain(self) -> None:
        for server in self.servers:
            server.close()
        # In place: requests under way hold this very list.
        self.server_state.default_headers.append((b"connection", b"close"))
        _log.info("draining", connections=len(self.server_state.connections))
        await asyncio.sleep(0)  # connections that were just taken come into the count
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
) -> uvicorn.Config:
    """The settings for serving `app`: with `workers` above 1 an import string, with `factory` what makes it.

    `keep_alive_seconds` is longer than the 60 s that load balancers commonly keep a connection idle, so that
    they and not we close it. At shutdown, requests under way have `graceful_shutdown_seconds` to end.
    `X-Forwarded-*` is believed only from `trust_forwarded_from` (addresses, comma-separated).
    """
    return uvicorn.Config(
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
    )
