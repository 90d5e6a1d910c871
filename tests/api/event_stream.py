"""Streams of server-sent events without sockets: the application is called as a server calls it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from tests.api_client import ApiClient

Json = dict[str, Any]


class OpenStream:
    """One stream. `text` is all of its body so far; `is_done` is True when it has ended."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.text = ""
        self.is_done = False
        self.reads = asyncio.Event()
        self.reads.set()
        self._leaves = asyncio.Event()

    @property
    def messages(self) -> list[tuple[str, Json | None]]:
        """The id and the event of each message; None for a message that only moves the cursor."""
        found: list[tuple[str, Json | None]] = []
        for block in self.text.split("\n\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            found.append((lines["id"], json.loads(lines["data"]) if "data" in lines else None))
        return found

    @property
    def events(self) -> list[Json]:
        """The events, in the order in which they came."""
        return [event for _, event in self.messages if event is not None]

    @property
    def last_id(self) -> str:
        """The cursor that a client would come back with."""
        return self.messages[-1][0]

    async def until(self, happened: Callable[["OpenStream"], bool], seconds: float = 30) -> None:
        """Wait until `happened`. Fails after some seconds."""
        async with asyncio.timeout(seconds):
            while not happened(self):
                await asyncio.sleep(0.01)

    async def receive(self) -> Json:
        """For the application: the client has sent all, and leaves at the end."""
        await self._leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Mapping[str, Any]) -> None:
        """For the application: wait for a client that does not read, then take the message."""
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.text += message.get("body", b"").decode()
            self.is_done = not message.get("more_body", False)

    def leave(self) -> None:
        """Let the client leave."""
        self._leaves.set()


@asynccontextmanager
async def streaming(
    client: ApiClient,
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "GET",
    query: Mapping[str, Any] | None = None,
    accept: str = "text/event-stream",
) -> AsyncIterator[OpenStream]:
    """A stream of the application of `client`, as its caller, or as that of `headers`. At the end, it is left."""
    stream = OpenStream()
    sent = {"Accept": accept, "Host": "testserver", **(headers or {})}
    if not {"Authorization", "Cookie"} & sent.keys():
        sent["Authorization"] = client.headers["Authorization"]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": "/v1/changes",
        "raw_path": b"/v1/changes",
        "query_string": urlencode(query or {}, doseq=True).encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": ("testclient", 50000),
        "server": ("testserver", 80),
        "state": {},
    }
    task = asyncio.create_task(client.app(scope, stream.receive, stream.send))  # type: ignore[arg-type]
    try:
        await stream.until(lambda one: bool(one.status))
        yield stream
    finally:
        stream.leave()
        stream.reads.set()
        await task
