"""Commands of the product without the second it takes to load it: this program has, and each command is a fork.

    python tests/journeys/process_nursery.py

It takes requests from standard input, a line of JSON each, and answers each with a line. `{"module": …,
"arguments": …, "environment": …, "directory": …, "log": …}` begins `python -m MODULE` with these arguments in a
process of its own and gives its id; `{"poll": ID}` gives its exit code, negative for a signal, or null while it
runs. When standard input closes, all that are left are killed.
"""

import json
import os
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NoReturn

from complaints import cli
from complaints.serving import supervisor

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


class ForkedChild:
    """What a supervisor needs of `subprocess.Popen`: `complaints serve` as a fork of the supervisor."""

    def __init__(self, _command: Sequence[str], *, env: Mapping[str, str], pass_fds: Sequence[int]) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _serve_anew(env, pass_fds)

    def poll(self) -> int | None:
        """The exit code of one that has ended."""
        return self._reap(os.WNOHANG)

    def wait(self) -> int | None:
        """The exit code, once it has ended."""
        return self._reap(0)

    def terminate(self) -> None:
        """Ask it to end, unless it has."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def _reap(self, options: int) -> int | None:
        if self.returncode is None:
            found, status = os.waitpid(self.pid, options)
            if found:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def _serve_anew(environment: Mapping[str, str], kept: Sequence[int]) -> NoReturn:
    """Be `complaints serve`, with nothing of the supervisor's but what a new program would have of it."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        bounds = [2, *sorted(kept), os.sysconf("SC_OPEN_MAX")]
        for before, after in pairwise(bounds):
            os.closerange(before + 1, after)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["complaints", "serve"]
        cli.main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def live(request: Request) -> None:
    """Be the module, as if started so; a supervisor's processes are forks too."""
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
        os.dup2(descriptor, stream)
    supervisor.subprocess = SimpleNamespace(Popen=ForkedChild)  # type: ignore[assignment]
    sys.argv = [request["module"], *request["arguments"]]
    if request["module"] == "complaints":
        cli.main()
    else:
        sys.path.insert(0, request["directory"])  # as `python -m` does
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    asked = nurse()
    if asked:
        live(asked)
