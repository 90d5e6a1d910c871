"""Processes of the product by the hundred: this program loads it once; each process is a fork of its own.

    python -m tests.faults.nursery

It takes commands from standard input, a JSON object a line, and answers each with a line. `{"start": [arguments of
complaints], "environment": {...}, "log": path, "patches": [...], "arming": [point, signal]}` gives the process id;
`{}` gives what became of those that ended or stopped since it was last asked, `{pid: exit code or signal}`. When
standard input closes, all are killed.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from complaints import cli
from tests.faults import patches
from tests.journeys.worker_nursery import arm


def _start(command: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        _become(command)
        cli.main()
        sys.stdout.flush()
        os._exit(0)
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        os._exit(70)


def _become(command: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(command["environment"])
    log = os.open(command["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for name in command["patches"]:
        getattr(patches, name)()
    if command["arming"]:
        point, deadly = command["arming"]
        arm(point, signal.Signals[deadly])
    sys.argv = ["complaints", *command["start"]]


def _changes(alive: set[int]) -> dict[int, str]:
    found = {}
    for pid in list(alive):
        ended, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
        if not ended:
            continue
        if os.WIFSTOPPED(status):
            found[pid] = signal.Signals(os.WSTOPSIG(status)).name
            continue
        alive.remove(pid)
        by_signal = os.WIFSIGNALED(status)
        found[pid] = signal.Signals(os.WTERMSIG(status)).name if by_signal else str(os.WEXITSTATUS(status))
    return found


def main() -> None:
    """Take commands until standard input closes."""
    alive: set[int] = set()
    try:
        while line := sys.stdin.readline():
            command = json.loads(line)
            answer: Any
            if command:
                alive.add(answer := _start(command))
            else:
                answer = _changes(alive)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    finally:
        for pid in alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
