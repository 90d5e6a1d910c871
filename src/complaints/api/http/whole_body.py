"""A body that was read before the route, and a way to read it again. Pure ASGI."""

from fastapi import Request
from starlette.types import Message, Receive, Scope, Send

from complaints.api.problems.handlers import refusal_response
from complaints.api.problems.refusals import RefusalCarrier


class WholeBody:
    """The body of a request. Its `receive` gives the body to the next reader in one message.

    `content` is None if the client left before the end of its body.
    """

    __slots__ = ("_message", "_receive", "content")

    def __init__(self, content: bytes | None, message: Message, receive: Receive) -> None:
        self.content = content
        self._message: Message | None = message
        self._receive = receive

    @classmethod
    async def read(cls, scope: Scope, receive: Receive, send: Send) -> "WholeBody | None":
        """Read the body to its end. If it passes a limit, the refusal is sent and None is returned."""
        try:
            return await cls._read(receive)
        except RefusalCarrier as carrier:  # exception handlers do not cover middleware
            await refusal_response(Request(scope), carrier.refusal)(scope, receive, send)
            return None

    @classmethod
    async def _read(cls, receive: Receive) -> "WholeBody":
        parts: list[bytes] = []
        while (message := await receive())["type"] == "http.request":
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                content = b"".join(parts)
                return cls(content, {"type": "http.request", "body": content}, receive)
        return cls(None, message, receive)

    async def receive(self) -> Message:
        """The body in one message, then the messages after it."""
        message, self._message = self._message, None
        return await self._receive() if message is None else message
