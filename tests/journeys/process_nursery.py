"""Commands of the product without the second it takes to load it: this program has, and each command is a fork.

    python tests/journeys/process_nursery.py

It takes requests from standard input, a line of JSON each, and answers each with a line. `{"arguments": …,
"environment": …, "directory": …, "log": …}` begins `complaints` with these arguments in a process of its own and
gives its id; `{"poll": ID}` gives its exit code, negative for a signal, or null while it runs. When standard
input closes, all that are left are killed.
"""

import json
import os
import signal
import sys
from typing import Any

from complaints import cli

Request = dict[str, Any]


def nurse() -> Request | None:
    """Take requests until standard input closes; in each process begun, give what it is to do."""
    running: set[int] = set()
    ended: dict[int, int] = {}

    def reap(options: int) -> None:
        for pid in list(running):
            found, status = os.waitpid(pid, options)
            if found:
                running.remove(pid)
                ended[pid] = os.waitstatus_to_exitcode(status)

    while line := sys.stdin.readline():
        request = json.loads(line)
        if "poll" in request:
            reap(os.WNOHANG)
            answer = ended.get(request["poll"])
        else:
            answer = os.fork()
            if answer == 0:
                return request  # type: ignore[no-any-return]
            running.add(answer)
        print(json.dumps(answer), flush=True)  # noqa: T201 - to whoever asked
    reap(os.WNOHANG)
    for pid in running:
        os.kill(pid, signal.SIGKILL)
    reap(0)
    return None


def live(request: Request) -> None:
    """Be `complaints`, as if started so."""
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
        os.dup2(descriptor, stream)
    sys.argv = ["complaints", *request["arguments"]]
    cli.main()


if __name__ == "__main__":
    asked = nurse()
    if asked:
        live(asked)
