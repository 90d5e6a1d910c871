"""An answer that costs a look at the database, made once for all who ask at the same time and kept for a while."""

import asyncio
import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

KEPT_SECONDS = 1.0


class SharedAnswer:
    """Keeps an answer for a second. Requests that arrive while it is made wait for it, and occupy no thread."""

    def __init__(self) -> None:
        self._kept: Response | None = None
        self._until = float("-inf")
        self._making: asyncio.Task[Response] | None = None

    @property
    def is_fresh(self) -> bool:
        """True while the kept answer is young enough."""
        return time.monotonic() < self._until

    async def get(self, make: Callable[[], Response]) -> Response:
        """The kept answer, or a new one: `make` runs in a thread. Raises what `make` raises, which is not kept."""
        if self._kept is not None and self.is_fresh:
            return self._kept
        if self._making is None or self._making.done():
            self._making = asyncio.get_running_loop().create_task(self._make(make))
        return await asyncio.shield(self._making)

    async def _make(self, make: Callable[[], Response]) -> Response:
        self._kept = await run_in_threadpool(make)
        self._until = time.monotonic() + KEPT_SECONDS
        return self._kept
