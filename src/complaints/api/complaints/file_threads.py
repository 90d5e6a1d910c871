"""The threads of a process that read and write the bytes of attachments.

They are few and their own: a slow disk or a slow S3 delays attachments, and no other request.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread

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
