"""The answer with an export: it is sent as the client reads it, and cut off if it cannot be finished.

Nothing is sent before the first piece is there, so a refusal up to then is a problem like any other. After that the
connection is closed without the end of the body, and the client sees that something is missing.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from complaints.api.http.authentication import ACCESS_SECONDS
from complaints.domain.errors import ComplaintError


class ExportCut(Exception):
    """An export was cut off after its answer began. The message says why."""


class ExportAnswer(Response):
    """Sends `pieces`. Meanwhile `check` is called every `ACCESS_SECONDS`: if it raises, the answer ends.

    Raises ExportCut after the answer began, and ClientDisconnect if the client leaves.
    """

    def __init__(
        self,
        pieces: AsyncGenerator[bytes, None],
        check: Callable[[], Awaitable[None]],
        *,
        headers: Mapping[str, str],
        media_type: str,
    ) -> None:
        super().__init__(headers=headers, media_type=media_type)
        del self.headers["content-length"]
        self._pieces = pieces
        self._check = check
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        try:
            await _first_of(self._send(send), self._watch(), _await_leaving(receive))
        except ComplaintError as error:
            if not self._begun:
                raise
            scope["state"]["problem"] = "export-cut"
            raise ExportCut(error.detail) from error
        finally:
            await self._pieces.aclose()

    async def _send(self, send: Send) -> None:
        piece = await anext(self._pieces, b"")
        self._begun = True
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        async for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(ACCESS_SECONDS)
            await self._check()


async def _await_leaving(receive: Receive) -> None:
    """Wait until the client leaves. Raises ClientDisconnect then."""
    while (await receive())["type"] != "http.disconnect":
        pass
    raise ClientDisconnect


async def _first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Do all works until one ends, and end the others. Raises what it raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:  # the first counts most: an answer that was sent is no failure
            if task in done:
                task.result()
                return
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
