"""The check of many ranges of complaints by several processes."""

import gc
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool as BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_all_start_methods, get_context

from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.checks import CheckedRange, IdRange, check_range

_FORK = "fork"
_own: list[Service] = []
"""The service of a process that checks. It came by the fork, because it cannot be sent."""


def check_ranges(service: Service, ranges: Sequence[IdRange], *, processes: int) -> Iterator[CheckedRange]:
    """Check each range, and yield the results in the order of `ranges`.

    Several processes share the ranges if the system can fork. Raises BrokenProcessPool if one of them is killed.
    """
    processes = min(processes, len(ranges))
    if processes == 1 or _FORK not in get_all_start_methods():
        yield from (check_range(service, one) for one in ranges)
        return
    with _forked(service, processes) as pool:
        yield from pool.map(_check, ranges)


@contextmanager
def _forked(service: Service, processes: int) -> Iterator[ProcessPoolExecutor]:
    """Processes with the service of this one. When the block is left, they finish their present ranges at most."""
    service.close()  # a connection must not be used on both sides of a fork
    lifeline, held = os.pipe()
    pool = ProcessPoolExecutor(
        processes, mp_context=get_context(_FORK), initializer=_begin, initargs=(service, lifeline, held)
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        os.close(lifeline)
        os.close(held)


def _begin(service: Service, lifeline: int, held: int) -> None:
    """Prepare a new process. Ctrl-C reaches it too, but only its parent acts on it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.close(held)
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    gc.freeze()
    gc.disable()
    _own[:] = [service]


def _end_with_parent(lifeline: int) -> None:
    """End this process when its parent is gone: then nobody holds the other end of the pipe."""
    os.read(lifeline, 1)
    os._exit(1)


def _check(within: IdRange) -> CheckedRange:
    """Check a range. Garbage is collected after it, when nearly all of its many objects are gone."""
    checked = check_range(_own[0], within)
    gc.collect()
    return checked
