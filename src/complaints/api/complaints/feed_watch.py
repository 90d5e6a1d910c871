"""Readers of the feed that wait for events. One look at the database serves all readers of a process."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakKeyDictionary

from starlette.concurrency import run_in_threadpool

from complaints.use_cases.complaints import history
from complaints.use_cases.service import Service

LOOK_SECONDS = 0.2
READERS_AT_ONCE = 4
T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Reader:
    """A reader that has seen all events up to `number`."""

    number: int
    woken: "asyncio.Future[None]"


@dataclass(eq=False, slots=True)
class _Readers:
    """The readers of one event loop, by the service from which they read, and the tasks that look for them."""

    waiting: dict[int, list[_Reader]] = field(default_factory=dict)
    tasks: "dict[int, asyncio.Task[None]]" = field(default_factory=dict)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(READERS_AT_ONCE))


class FeedWatch:
    """Lets readers wait without a thread and without a connection.

    While anybody waits, one task looks for the last event every `LOOK_SECONDS`. Readers that were woken read in
    turns, `READERS_AT_ONCE` at a time, so that other requests find threads and connections.
    """

    def __init__(self) -> None:
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Readers] = WeakKeyDictionary()
        self._ended = False

    @property
    def ended(self) -> bool:
        """True if nobody may wait any more, because the process drains."""
        return self._ended

    def end_waits(self) -> None:
        """Wake all readers, and let nobody wait from now on. Called in the event loop of the readers."""
        self._ended = True
        for readers in self._loops.values():
            for waiting in readers.waiting.values():
                _wake(waiting)

    async def wait_beyond(self, service: Service, number: int, seconds: float) -> bool:
        """Return when an event after `number` can be read from `service`, or after `seconds`, or when waits end.

        Returns False if only the time has passed.
        """
        loop = asyncio.get_running_loop()
        readers, key = self._loops.setdefault(loop, _Readers()), id(service)
        if self._ended:
            return True
        reader = _Reader(number, loop.create_future())
        waiting = readers.waiting.setdefault(key, [])
        waiting.append(reader)
        if key not in readers.tasks:
            readers.tasks[key] = loop.create_task(self._look(readers, service))
        await asyncio.wait([reader.woken], timeout=seconds)
        if reader in waiting:
            waiting.remove(reader)
        return reader.woken.done()

    async def in_turn(self, read: Callable[[], T]) -> T:
        """Call `read` in a thread, when it is this reader's turn."""
        readers = self._loops.setdefault(asyncio.get_running_loop(), _Readers())
        async with readers.turns:
            return await run_in_threadpool(read)

    async def _look(self, readers: _Readers, service: Service) -> None:
        key = id(service)
        try:
            while waiting := readers.waiting[key]:
                first = min(reader.number for reader in waiting)
                last = await run_in_threadpool(
                    service.read, lambda tx, first=first: history.find_end(tx, after=first)
                )
                _wake([reader for reader in waiting if reader.number < last])
                await asyncio.sleep(LOOK_SECONDS)
        finally:  # after a failure, the readers read for themselves and get its reason
            del readers.tasks[key]
            _wake(readers.waiting.pop(key))


def _wake(readers: list[_Reader]) -> None:
    for reader in readers:
        if not reader.woken.done():
            reader.woken.set_result(None)
