"""Group commit: requests that arrive while a transaction runs share the next one, and its flush to the disk."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from starlette.concurrency import run_in_threadpool

Item = TypeVar("Item")
Result = TypeVar("Result")

LARGEST_GROUP = 128
GATHER_SECONDS = 0.002


@dataclass(eq=False, slots=True)
class _Waiter(Generic[Item, Result]):
    item: Item
    future: "asyncio.Future[Result]"


@dataclass(eq=False, slots=True)
class _Line(Generic[Item, Result]):
    """Who waits in one event loop, and what serves them."""

    waiting: list[_Waiter[Item, Result]] = field(default_factory=list)
    server: "asyncio.Task[None] | None" = None


class GroupCommit(Generic[Item, Result]):
    """Gives `work` what has come since its last call, in a thread: one group at a time, no pause between them.

    A single item is a group of one. Of items with the same `name` a group has one; the others come in later
    ones. No line outlives its requests: an item waits only as long as the request that awaits its result.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result | Exception]],
        *,
        name: Callable[[Item], Hashable | None],
    ) -> None:
        self._work = work
        self._name = name
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line[Item, Result]] = WeakKeyDictionary()

    async def result_of(self, item: Item) -> Result:
        """What `work` makes of the item. Raises what `work` gives as an exception."""
        loop = asyncio.get_running_loop()
        line = self._lines.setdefault(loop, _Line())
        waiter = _Waiter[Item, Result](item, loop.create_future())
        line.waiting.append(waiter)
        if line.server is None or line.server.done():
            line.server = loop.create_task(self._serve(line))
        return await waiter.future

    async def _serve(self, line: _Line[Item, Result]) -> None:
        while line.waiting:
            group = self._next_group(line)
            try:
                results = await run_in_threadpool(self._work, [waiter.item for waiter in group])
            except Exception as failure:  # every waiter is told: none waits for ever
                results = [failure] * len(group)
            for waiter, result in zip(group, results, strict=True):
                _tell(waiter, result)
            await self._gather(line)

    async def _gather(self, line: _Line[Item, Result]) -> None:
        """Wait as long as more keep coming: callers just answered often have a next one ready.

        Otherwise they and those who waited meanwhile would go by turns, in groups half as large.
        """
        known = 0
        while known < len(line.waiting) < LARGEST_GROUP:
            known = len(line.waiting)
            await asyncio.sleep(GATHER_SECONDS)

    def _next_group(self, line: _Line[Item, Result]) -> list[_Waiter[Item, Result]]:
        """Who is next, in the order they came; the others go on waiting."""
        group: dict[object, _Waiter[Item, Result]] = {}
        left = []
        for waiter in line.waiting:
            name = self._name(waiter.item)
            key = waiter if name is None else name
            if key in group or len(group) == LARGEST_GROUP:
                left.append(waiter)
            else:
                group[key] = waiter
        line.waiting = left
        return list(group.values())


def _tell(waiter: _Waiter[Item, Result], result: Result | Exception) -> None:
    if waiter.future.done():  # its request was given up
        return
    if isinstance(result, Exception):
        waiter.future.set_exception(result)
    else:
        waiter.future.set_result(result)
