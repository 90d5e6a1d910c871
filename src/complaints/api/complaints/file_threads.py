"""The threads of a process that read and write the bytes of attachments.

They are few and their own: a slow disk or a slow S3 delays attachments, and no other request.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

T = TypeVar("T")
THREADS = 8


class FileThreads:
    """Does work on files in threads. Requests beyond their number wait for one."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(THREADS)

    async def run(self, work: Callable[[], T]) -> T:
        """Do `work` in a thread. Work that has begun is finished, also for a client who has left."""
        return await to_thread.run_sync(work, limiter=self._limiter)

    async def run_to_end(self, work: Callable[[], None]) -> None:
        """As `run`, also if the request was cancelled before."""
        with CancelScope(shield=True):
            await self.run(work)

    async def stream(self, parts: Iterator[bytes]) -> AsyncIterator[bytes]:
        """The parts, each read in a thread."""
        while (part := await self.run(lambda: next(parts, None))) is not None:
            yield part


class StreamedFile(StreamingResponse):
    """Answers with the parts of a file. Calls `close` in any case, also for a client who left before the first part."""

    media_type = "application/octet-stream"

    def __init__(
        self,
        threads: FileThreads,
        parts: Iterator[bytes],
        close: Callable[[], None],
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(threads.stream(parts), headers=headers)
        self._threads, self._close = threads, close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._threads.run_to_end(self._close)
