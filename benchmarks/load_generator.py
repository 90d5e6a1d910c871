"""A load generator that costs little: one thread, raw sockets, requests made of templates. A program of its own.

    python -m benchmarks.load_generator < plan.json > outcome.json

The same for the limit and for the product, so that what it takes from the machine it takes from both. It
speaks to 127.0.0.1 alone, and ends after the plan's time or number of requests. `benchmarks.load` starts it.
"""

import gc
import json
import selectors
import socket
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

MARK = b"00000000"
"""In a template it stands for the request's number, as eight digits."""

_HOST = "127.0.0.1"
_GIVE_UP_SECONDS = 30.0
_MOST_TROUBLES = 100


@dataclass(slots=True)
class _Connection:
    """A kept-alive connection with at most one request under way, begun at `began`."""

    port: int
    socket: socket.socket
    began: float = 0.0
    received: bytes = b""


@dataclass(slots=True)
class _Load:
    """A run: its plan, and its counts so far."""

    templates: list[list[bytes]]
    ports: list[int]
    connections: int
    seconds: float
    requests: int
    rate: float
    first_number: int
    sent: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    refusal: str = ""
    idle: deque[_Connection] = field(default_factory=deque)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def run(self) -> float:
        """Send and receive until the end of the plan; the seconds it took."""
        for _, port in zip(range(self.connections), cycle(self.ports)):
            self._connect(port)
        started = time.perf_counter()
        end = started + self.seconds
        while True:
            now = time.perf_counter()
            sending = now < end and self.sent < self.requests and self.statuses["trouble"] < _MOST_TROUBLES
            if sending:
                self._send_due(now, started)
            waiting = self.connections - len(self.idle)
            if not sending and not waiting:
                break
            if now > end + _GIVE_UP_SECONDS:
                self.statuses["unanswered"] += waiting
                break
            for key, _ in self.selector.select(self._patience(now, started) if sending else 1.0):
                self._receive(key.data)
        return time.perf_counter() - started

    def _connect(self, port: int) -> None:
        opened = socket.create_connection((_HOST, port), timeout=10)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(port, opened)
        self.selector.register(opened, selectors.EVENT_READ, connection)
        self.idle.append(connection)

    def _allowed(self, now: float, started: float) -> int:
        """How many requests may have been sent by now."""
        if not self.rate:
            return self.requests
        return min(self.requests, 1 + int((now - started) * self.rate))

    def _patience(self, now: float, started: float) -> float:
        if not self.rate or not self.idle:
            return 1.0
        return max(0.0, started + self.sent / self.rate - now)

    def _send_due(self, now: float, started: float) -> None:
        allowed = self._allowed(now, started)
        while self.idle and self.sent < allowed:
            connection = self.idle.popleft()
            number = self.first_number + self.sent
            request = (b"%08d" % (number % 10**8)).join(self.templates[number % len(self.templates)])
            self.sent += 1
            connection.began = time.perf_counter()
            try:
                connection.socket.sendall(request)
            except OSError:
                self._replace(connection)

    def _receive(self, connection: _Connection) -> None:
        try:
            data = connection.socket.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            self._replace(connection)
            return
        connection.received += data
        head, separator, body = connection.received.partition(b"\r\n\r\n")
        if not separator or len(body) < _length(head):
            return
        self.latencies.append(time.perf_counter() - connection.began)
        status = head[9:12].decode()
        self.statuses[status] += 1
        if status[0] != "2" and not self.refusal:
            self.refusal = connection.received[:2000].decode(errors="replace")
        connection.received = b""
        self.idle.append(connection)

    def _replace(self, connection: _Connection) -> None:
        """The server has closed the connection: count a lost request, and connect again."""
        self.statuses["trouble"] += connection not in self.idle
        if connection in self.idle:
            self.idle.remove(connection)
        self.selector.unregister(connection.socket)
        connection.socket.close()
        try:
            self._connect(connection.port)
        except OSError as error:
            raise SystemExit(f"port {connection.port} is not served any more: {error}") from error


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0] or 0)


def _quantile(ordered: list[float], share: float) -> float:
    """In milliseconds."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else 0.0


def outcome(plan: dict[str, Any]) -> dict[str, Any]:
    """Carry out a plan and tell what came of it. `benchmarks.load` says what the members mean."""
    load = _Load(
        templates=[text.encode("latin-1").split(MARK) for text in plan["templates"]],
        ports=plan["ports"],
        connections=plan["connections"],
        seconds=plan["seconds"],
        requests=plan["requests"],
        rate=plan["rate"],
        first_number=plan["first_number"],
    )
    cpu = time.process_time()
    seconds = load.run()
    ordered = sorted(load.latencies)
    return {
        "seconds": seconds,
        "statuses": dict(load.statuses),
        "p50_ms": _quantile(ordered, 0.5),
        "p95_ms": _quantile(ordered, 0.95),
        "p99_ms": _quantile(ordered, 0.99),
        "cpu_seconds": time.process_time() - cpu,
        "refusal": load.refusal,
    }


if __name__ == "__main__":
    gc.disable()  # nothing here goes round in circles
    json.dump(outcome(json.load(sys.stdin)), sys.stdout)
