"""A program that loads the product once and starts processes of it as forks: each fork saves the second of loading.

    python -m tests.fork_server

It reads requests from standard input, one JSON object a line, and answers each request with one line. The request
`{}` asks for the changes since the last such request. Its answer has the wait status of each process that ended,
stopped or continued, by process id. Any other request starts a process, and its answer is the process id:

- `module`, `arguments`: the module runs as with `python -m`, with these arguments;
- `environment`, `directory`, `log`: all its variables, where it runs, and the file for its output;
- `patches`: names of functions of `tests.faults.patches`, which are called before the module runs;
- `arming`: empty, or a point of `patches.POINTS` and the signal which the process sends itself at that point.

When standard input closes, the program kills all processes that are left.
"""

import atexit
import importlib
import json
import os
import pkgutil
import runpy
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NoReturn

import complaints
from complaints import cli
from complaints.serving import supervisor
from complaints.serving.process import collector_at_rest

# Libraries load these when they first need them. A fork must find them loaded.
LOADED_LATE = (
    "anyio._backends._asyncio",
    "encodings.ascii",
    "fastapi.telemetry._runtime",
    "rich._emoji_codes",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
    "sqlite3",
    "tests.faults.patches",
    "typer._adapters",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
)
Request = dict[str, Any]


def load_all() -> None:
    """Load every module and every migration: the command line loads many only when a command needs them.

    The garbage collector of a fork passes over what was loaded. To look at it would copy the memory it is in.
    """
    with collector_at_rest():
        modules = pkgutil.walk_packages(complaints.__path__, "complaints.")
        names = [module.name for module in modules if module.name != "complaints.__main__"]
        for name in [*names, *LOADED_LATE]:
            importlib.import_module(name)
        importlib.import_module("complaints.storage.database.migrate").revisions()


def take_requests() -> Request | None:
    """Take requests until standard input closes. In each new process: return its request."""
    running: set[int] = set()
    try:
        while line := sys.stdin.readline():
            request = json.loads(line)
            answer: Any = os.fork() if request else _find_changes(running)
            if answer == 0:
                running.clear()  # only the server kills them
                return request  # type: ignore[no-any-return]
            if request:
                running.add(answer)
            print(json.dumps(answer), flush=True)  # noqa: T201 - the client reads it
    finally:
        for pid in running:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return None


def _find_changes(running: set[int]) -> dict[int, int]:
    found = {}
    for pid in list(running):
        changed, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
        if changed:
            found[pid] = status
        if changed and (os.WIFEXITED(status) or os.WIFSIGNALED(status)):
            running.remove(pid)
    return found


def run(request: Request) -> None:
    """Run the module of the request in this process. The processes of a supervisor are forks too."""
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
        os.dup2(descriptor, stream)
    supervisor.subprocess = SimpleNamespace(Popen=SupervisedFork)  # type: ignore[assignment]
    from tests.faults import patches  # it imports most of the product, and `load_all` does that better

    for name in request["patches"]:
        getattr(patches, name)()
    if request["arming"]:
        point, name = request["arming"]
        patches.arm(point, signal.Signals[name])
    sys.argv = [request["module"], *request["arguments"]]
    if request["module"] == "complaints":
        cli.main()
    else:
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


def run_to_end(work: Callable[[], object]) -> NoReturn:
    """Call `work` and end this process as the interpreter does, but leave the memory as it is.

    To take the memory apart costs 0.1 s, and the operating system takes it back anyway.
    """
    code = 0
    try:
        work()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except Exception:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class SupervisedFork:
    """The part of `subprocess.Popen` that a supervisor needs: `complaints serve` as a fork of the supervisor."""

    def __init__(self, _command: Sequence[str], *, env: Mapping[str, str], pass_fds: Sequence[int]) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _serve(env, pass_fds)

    def poll(self) -> int | None:
        """The exit code, or None if the process runs."""
        return self._reap(os.WNOHANG)

    def wait(self) -> int | None:
        """Wait until the process has ended; its exit code."""
        return self._reap(0)

    def terminate(self) -> None:
        """Ask the process to end, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def _reap(self, options: int) -> int | None:
        if self.returncode is None:
            found, status = os.waitpid(self.pid, options)
            if found:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def _serve(environment: Mapping[str, str], kept: Sequence[int]) -> NoReturn:
    """Run `complaints serve` with no more of the supervisor's state than a new program would have."""
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


if __name__ == "__main__":
    load_all()
    own_request = take_requests()
    run_to_end(partial(run, own_request) if own_request else lambda: None)
