"""Workers by the dozen: this program loads the product once; each worker is a fork with a life of its own.

    python tests/journeys/worker_nursery.py LOG

It takes commands from standard input and answers each with a line. `start URL` gives the process id of a
worker on that database; `start URL POINT SIGNAL` that of one which sends itself the signal when it passes the
point. `reap PID` waits for that process to end or stop and gives the signal, or `alive` after 30 s. When
standard input closes, all workers are killed.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

from complaints import cli
from complaints.storage.database import bulk
from complaints.storage.queries import due_complaints
from complaints.storage.rows import deadline
from complaints.use_cases.upkeep import loops

PATIENCE_SECONDS = 30.0
# After which call, of what: a worker that dies there has claimed, has half written, has written but not
# committed, has committed. Only calls that did something count.
POINTS: dict[str, tuple[ModuleType, str, Callable[[tuple[Any, ...], Any], bool]]] = {
    "claimed": (due_complaints, "claim_due", lambda arguments, claimed: bool(claimed)),
    "half-written": (deadline, "update_deadlines", lambda arguments, nothing: bool(arguments[1])),
    "written": (bulk, "_insert_together", lambda arguments, nothing: bool(arguments[1])),
    "committed": (loops, "sweep_once", lambda arguments, swept: swept.complaints > 0),
}


def arm(point: str, deadly: signal.Signals) -> None:
    """Let this process send itself a signal when it first passes the point."""
    module, name, counts = POINTS[point]
    original = getattr(module, name)
    is_armed = True

    def armed(*arguments: Any, **options: Any) -> Any:
        nonlocal is_armed
        result = original(*arguments, **options)
        if is_armed and counts(arguments, result):
            is_armed = False
            signal.pthread_kill(threading.get_ident(), deadly)  # before this thread does one thing more
        return result

    setattr(module, name, armed)


def _start(log: int, url: str, *arming: str) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.environ["COMPLAINTS_DATABASE_URL"] = url
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        if arming:
            point, name = arming
            arm(point, signal.Signals[name])
        cli.worker()
    finally:
        os._exit(1)


def _reap(pid: int) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := os.waitpid(pid, os.WUNTRACED | os.WNOHANG)) == (0, 0):
        if time.monotonic() > deadline:
            return "alive"
        time.sleep(0.01)
    status = found[1]
    if os.WIFSTOPPED(status):
        return signal.Signals(os.WSTOPSIG(status)).name
    return signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "ended"


def main() -> None:
    """Take commands until standard input closes."""
    log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    started: list[int] = []
    try:
        while words := sys.stdin.readline().split():
            if words[0] == "start":
                started.append(_start(log, *words[1:]))
                answer = str(started[-1])
            else:
                answer = _reap(int(words[1]))
            sys.stdout.write(answer + "\n")
            sys.stdout.flush()
    finally:
        for pid in started:
            with suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG) == (0, 0):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
