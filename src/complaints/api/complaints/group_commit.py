"""Group commit: items that arrive while a transaction runs share the next one, and its flush to the disk."""

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
class _WaitingItem(Generic[Item, Result]):
    item: Item
    future: "asyncio.Future[Result]"


@dataclass(eq=False, slots=True)
class _Queue(Generic[Item, Result]):
    """The items that wait in one event loop, and the task that works on them."""

    waiting: list[_WaitingItem[Item, Result]] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None


class GroupCommit(Generic[Item, Result]):
    """Calls `work` in a thread with all items that arrived since its last call, one group at a time.

    A single item is a group of one. A group has at most one item of each `name`; other items with that name wait
    for later groups. An item waits only as long as the request that awaits its result.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result | Exception]],
        *,
        name: Callable[[Item], Hashable | None],
    ) -> None:
        self._work = work
        self._name = name
        self._queues: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue[Item, Result]] = WeakKeyDictionary()

    async def result_of(self, item: Item) -> Result:
        """The result of `work` for the item. Raises it if it is an exception."""
        loop = asyncio.get_running_loop()
        queue = self._queues.setdefault(loop, _Queue())
        waiting = _WaitingItem[Item, Result](item, loop.create_future())
        queue.waiting.append(waiting)
        if queue.task is None or queue.task.done():
            queue.task = loop.create_task(self._work_on(queue))
        return await waiting.future

    async def _work_on(self, queue: _Queue[Item, Result]) -> None:
        while queue.waiting:
            group = self._take_group(queue)
            try:
                results = await run_in_threadpool(self._work, [waiting.item for waiting in group])
            except Exception as failure:  # every item gets it: none waits for ever
                results = [failure] * len(group)
            for waiting, result in zip(group, results, strict=True):
                _set_result(waiting, result)
            await self._gather(queue)

    async def _gather(self, queue: _Queue[Item, Result]) -> None:
        """Wait as long as more items keep arriving: a caller that got its result often sends the next item at once.

        Without this pause, such callers and the callers that waited meanwhile would take turns, in groups of half
        the size.
        """
        known = 0
        while known < len(queue.waiting) < LARGEST_GROUP:
            known = len(queue.waiting)
            await asyncio.sleep(GATHER_SECONDS)

    def _take_group(self, queue: _Queue[Item, Result]) -> list[_WaitingItem[Item, Result]]:
        """Take the next group out of the queue, in order of arrival."""
        group: dict[object, _WaitingItem[Item, Result]] = {}
        left = []
        for waiting in queue.waiting:
            name = self._name(waiting.item)
            key = waiting if name is None else name
            if key in group or len(group) == LARGEST_GROUP:
                left.append(waiting)
            else:
                group[key] = waiting
        queue.waiting = left
        return list(group.values())


def _set_result(waiting: _WaitingItem[Item, Result], result: Result | Exception) -> None:
    if waiting.future.done():  # its request was cancelled
        return
    if isinstance(result, Exception):
        waiting.future.set_exception(result)
    else:
        waiting.future.set_result(result)
