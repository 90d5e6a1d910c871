"""Turns: pages and calculators are answered one after the other, so that they leave time for complaints. Pure ASGI."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from complaints.api.http.whole_body import WholeBody

LEAST_PAUSE_SECONDS = 0.005
"""The shortest pause between two turns of a line: a line answers at most 200 requests a second in a process."""
PAUSE_SHARE = 4.0
"""A line pauses four times as long as its last turn took: it uses a fifth of the time."""


class Turns:
    """Lets one request of each line work at a time, with a pause after it. Other requests do not wait.

    `lines` are paths: a path below `/v1/` as it is, another path with all paths below it. Paths outside `/v1/` without
    a line have one line together; paths below one of `without` never wait. A turn begins when the body has arrived,
    and ends when the answer begins. So a slow client does not hold up its line.
    """

    def __init__(
        self, app: ASGIApp, *, lines: tuple[str, ...], without: frozenset[str] = frozenset()
    ) -> None:
        self._app = app
        self._without = without
        self._lines = {path: Line() for path in lines}
        self._other = Line()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, in its turn if it stands in a line."""
        line = self._lines.get(scope["path"]) if scope["type"] == "http" else None
        if line is None and not scope.get("path", "/v1/").startswith("/v1/"):
            first = "/" + scope["path"].lstrip("/").partition("/")[0]
            line = None if first in self._without else self._lines.get(first, self._other)
        if line is None:
            await self._app(scope, receive, send)
            return
        if scope["method"] != "GET":  # no page reads the body of a GET
            body = await WholeBody.read(scope, receive, send)
            if body is None:
                return
            receive = body.receive
        turn = _Turn(line, send)
        await line.begin()
        try:
            await self._app(scope, receive, turn.send)
        finally:
            turn.end()


class Line:
    """The requests that wait for their turn, and the time at which the next turn may begin."""

    __slots__ = ("_begun_at", "_free_at", "_lock")

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._begun_at = self._free_at = 0.0

    async def begin(self) -> None:
        """Wait for the turn."""
        await self._lock.acquire()
        loop = asyncio.get_running_loop()
        try:
            await asyncio.sleep(self._free_at - loop.time())
        except BaseException:
            self._lock.release()
            raise
        self._begun_at = loop.time()

    def end(self) -> None:
        """End the turn. The next turn begins after the pause."""
        now = asyncio.get_running_loop().time()
        self._free_at = now + max(LEAST_PAUSE_SECONDS, PAUSE_SHARE * (now - self._begun_at))
        self._lock.release()

    async def pass_through(self) -> None:
        """Wait for the turn and end it at once. Used for answers that cost nothing more."""
        await self.begin()
        self.end()


class _Turn:
    """The send of a request that has its turn. The turn ends before the answer goes out."""

    __slots__ = ("_ended", "_line", "_send")

    def __init__(self, line: Line, send: Send) -> None:
        self._line = line
        self._send = send
        self._ended = False

    async def send(self, message: Message) -> None:
        """Send part of the answer."""
        self.end()
        await self._send(message)

    def end(self) -> None:
        """End the turn, unless it has ended."""
        if not self._ended:
            self._ended = True
            self._line.end()
