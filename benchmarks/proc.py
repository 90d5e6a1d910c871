"""The facts about processes under /proc."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def cpu_seconds(pid: int) -> float:
    """The processor time of a process, all its threads included."""
    return sum(map(int, _stat(pid)[11:13])) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid: int) -> int:
    """The resident set of a process."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def parent_of(pid: int) -> int:
    """The process that started it."""
    return int(_stat(pid)[1])


def family_cpu_seconds(parent: int) -> float:
    """The processor time of a process and its children, those that have ended included."""
    total = sum(map(int, _stat(parent)[11:15])) / os.sysconf("SC_CLK_TCK")
    return total + sum(_of_children(parent, cpu_seconds))


def family_memory_bytes(parent: int) -> int:
    """The memory of a process and its children. What they share counts once. 0 for a process that has ended."""
    try:
        return _own_memory_bytes(parent) + sum(_of_children(parent, _own_memory_bytes))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _of_children(parent: int, measure: Callable[[int], T]) -> Iterator[T]:
    """What `measure` says of each process that `parent` started and that has not ended."""
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            with suppress(FileNotFoundError, ProcessLookupError):
                if parent_of(int(path.name)) == parent:
                    yield measure(int(path.name))


def _own_memory_bytes(pid: int) -> int:
    """The memory of a process. Of what several share, each has its part. A process that is ending has none."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _stat(pid: int) -> list[str]:
    """The values in /proc/PID/stat from the state on: the name before it may hold any character."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
