"""The facts about processes under /proc."""

import os
from contextlib import suppress
from pathlib import Path


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
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            with suppress(FileNotFoundError, ProcessLookupError):
                pid = int(path.name)
                total += cpu_seconds(pid) if parent_of(pid) == parent else 0.0
    return total


def _stat(pid: int) -> list[str]:
    """The values in /proc/PID/stat from the state on: the name before it may hold any character."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
