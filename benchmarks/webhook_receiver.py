"""A fast receiver of webhooks in a process of its own: it reads a POST and answers 204, and counts.

    python -m benchmarks.webhook_receiver

`GET` answers with the number of POSTs since the start, and with their first bodies if the path is `/bodies`.
"""

import asyncio
import json
import re

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_KEPT_BODIES = 100
_TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver(asyncio.Protocol):
    """One connection. All connections share the counts of the class."""

    count = 0
    bodies: list[str] = []  # noqa: RUF012 - the process has one receiver

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._read = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head, length = self._read[:end], 0
            if (found := _LENGTH.search(head)) is not None:
                length = int(found[1])
            if len(self._read) < end + 4 + length:
                return
            body, self._read = self._read[end + 4 : end + 4 + length], self._read[end + 4 + length :]
            self._transport.write(self._answer(head, body))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"POST"):
            Receiver.count += 1
            if len(Receiver.bodies) < _KEPT_BODIES:
                Receiver.bodies.append(body.decode())
            return _TAKEN
        shown = json.dumps(Receiver.bodies if b" /bodies " in head else Receiver.count).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(shown), shown)


async def serve() -> None:
    """Take requests on a free port, which is printed, until the process ends."""
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0, backlog=256)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
