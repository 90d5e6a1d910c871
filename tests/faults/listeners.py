"""Clients that listen to the feed on real sockets, and come back with their last cursor when a stream ends."""

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

from tests.support import ADMIN_SECRET

BACK_SECONDS = 0.5
_HEAD = "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nAccept: text/event-stream\r\n{own}\r\n"


def ask_without_reading(port: int) -> socket.socket:
    """A connection that has asked for a stream, and takes hardly anything of it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    connection.sendall(_HEAD.format(path="/v1/changes", secret=ADMIN_SECRET, own="").encode())
    return connection


@dataclass(eq=False)
class FeedClient:
    """One listener. `streams` counts its streams, and `ends` are the reasons that streams gave for their end.

    `seen` are the numbers of the events that it got.
    """

    port: int
    path: str = "/v1/changes?fields=sequence"
    secret: str = ADMIN_SECRET
    cursor: str = ""
    streams: int = 0
    seen: list[int] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)

    async def listen(self) -> None:
        """Listen for ever: after each end, come back."""
        while True:
            with suppress(OSError, EOFError):
                await self._listen_once()
            await asyncio.sleep(random.uniform(0, BACK_SECONDS))

    async def _listen_once(self) -> None:
        own = f"Last-Event-ID: {self.cursor}\r\n" if self.cursor else ""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(_HEAD.format(path=self.path, secret=self.secret, own=own).encode())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            self.streams += 1
            async for line in _lines(reader):
                self._take(line)
        finally:
            writer.close()

    def _take(self, line: str) -> None:
        name, _, value = line.partition(": ")
        if name == "data":
            self.seen.append(json.loads(value)["sequence"])
        elif name == "id":
            self.cursor = value
        elif line.startswith(": end "):
            self.ends.append(line[6:])


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines of a body that comes in chunks. An event counts when its message is whole."""
    text, whole = "", 0
    while size := int(await reader.readuntil(b"\r\n"), 16):
        text += (await reader.readexactly(size)).decode()
        await reader.readexactly(2)
        if (whole := text.rfind("\n") + 1) and (text.endswith("\n\n") or text.startswith(("retry", ":"))):
            for line in text[:whole].splitlines():
                yield line
            text = text[whole:]
