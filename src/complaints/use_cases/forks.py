"""Work on many items by several processes. Each is a fork of this one, so it has the service and the work already."""

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool as BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_all_start_methods, get_context
from typing import Any, TypeVar

from complaints.use_cases.service import Service

Item = TypeVar("Item")
Result = TypeVar("Result")
_FORK = "fork"
_own: list[Callable[[Any], Any]] = []
"""The work of a process. It came by the fork, because it cannot be sent."""


def work_in_forks(
    service: Service, work: Callable[[Item], Result], items: Sequence[Item], *, processes: int
) -> Iterator[Result]:
    """Do `work` on each item, and yield the results in the order of `items`. The work uses `service`.

    Several processes share the items if the system can fork. Raises BrokenProcessPool if one of them is killed.
    """
    processes = min(processes, len(items))
    if processes <= 1 or _FORK not in get_all_start_methods():
        yield from map(work, items)
        return
    with _forked(service, work, processes) as pool:
        yield from pool.map(_work, items)


@contextmanager
def _forked(service: Service, work: Callable[[Any], Any], processes: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that do the work. When the block is left, they finish their present items at most."""
    service.close()  # a connection must not be used on both sides of a fork
    lifeline, held = os.pipe()
    pool = ProcessPoolExecutor(
        processes, mp_context=get_context(_FORK), initializer=_begin, initargs=(work, lifeline, held)
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        os.close(lifeline)
        os.close(held)


def _begin(work: Callable[[Any], Any], lifeline: int, held: int) -> None:
    """Prepare a new process. Ctrl-C reaches it too, but only its parent acts on it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.close(held)
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    gc.freeze()
    gc.disable()
    _own[:] = [work]


def _end_with_parent(lifeline: int) -> None:
    """End this process when its parent is gone: then nobody holds the other end of the pipe."""
    os.read(lifeline, 1)
    os._exit(1)


def _work(item: Any) -> Any:
    """Work on an item. Garbage is collected after it, when nearly all of its many objects are gone."""
    result = _own[0](item)
    gc.collect()
    return result
