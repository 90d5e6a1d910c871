"""The rights and limits that a process takes for itself when it starts."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def keep_files_private() -> None:
    """Files that this process makes are for its user only."""
    os.umask(0o077)


def raise_open_files_limit() -> None:
    """Raise the limit of open files to the most that the system allows. Each connection is an open file."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextmanager
def collector_off() -> Iterator[None]:
    """A block of a command that makes many objects, hardly one of them garbage. The garbage collector waits."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """A block that loads modules. The garbage collector waits, and later ignores what the block made.

    Modules are hundreds of thousands of objects, hardly one of them garbage. Looking through them again and again
    takes a quarter of the time of a start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
