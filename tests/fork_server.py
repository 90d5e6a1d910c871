"""A program that loads the product once and starts processes of it as forks: each fork saves the second of loading.

    python -m tests.fork_server SOCKET

It takes connections at the path SOCKET, from all processes that run tests. On each it reads requests, one JSON object
a line, and answers each request with one line. The request `{}` asks for the changes since the last such request. Its
answer has the wait status of each process of this connection that ended, stopped or continued, by process id. Any
other request starts a process, and its answer is the process id:

- `module`, `arguments`: the module runs as with `python -m`, with these arguments;
- `environment`, `directory`, `log`: all its variables, where it runs, and the file for its output;
- `patches`: names of functions of `tests.faults.patches`, which are called before the module runs;
- `arming`: empty, or a point of `patches.POINTS` and the signal which the process sends itself at that point.

When a connection closes, the program kills all processes of it that are left. It ends when standard input and all
connections are closed.
"""

import atexit
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
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


class Connection:
    """A connection of a client, and the processes that run for it."""

    def __init__(self, connected: socket.socket) -> None:
        self._lines = connected.makefile("rw", encoding="utf-8")
        self._socket = connected
        self._running: set[int] = set()

    def fileno(self) -> int:
        """The descriptor, for a selector."""
        return self._socket.fileno()

    def take_request(self) -> Request | None:
        """Take one request. In the new process: return its request. Raises EOFError at the end of the connection."""
        if not (line := self._lines.readline()):
            raise EOFError
        request: Request = json.loads(line)
        answer: Any = os.fork() if request else _find_changes(self._running)
        if answer == 0:
            return request
        if request:
            self._running.add(answer)
        self._lines.write(json.dumps(answer) + "\n")
        self._lines.flush()
        return None

    def close(self) -> None:
        """Close it in this process. The processes run on."""
        self._lines.close()
        self._socket.close()

    def kill_all(self) -> None:
        """Kill the processes that run for it."""
        for pid in self._running:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def take_requests(listener: socket.socket) -> Request | None:
    """Take requests until standard input and all connections are closed. In each new process: return its request."""
    connections: set[Connection] = set()
    is_owned = True
    while is_owned or connections:
        waiting: list[Any] = [listener, *connections, *([sys.stdin] if is_owned else [])]
        for ready in select.select(waiting, [], [])[0]:
            if ready is listener:
                connections.add(Connection(listener.accept()[0]))
            elif ready is sys.stdin:
                is_owned = False  # its owner writes nothing there, so this is the end
            elif own_request := _serve_request(ready, connections):
                for opened in (listener, *connections):
                    opened.close()
                return own_request
    return None


def _serve_request(client: Connection, connections: set[Connection]) -> Request | None:
    """Take a request of a client. If there is none and will be none, kill its processes and forget it."""
    try:
        return client.take_request()
    except (EOFError, ConnectionError):  # a killed client ends without a word
        client.kill_all()
        client.close()
        connections.remove(client)
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


def main(path: Path) -> None:
    """Listen at `path`, say so with a line, and load: clients that come early wait for their answers."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        load_all()
        own_request = take_requests(listener)
    if own_request:
        run(own_request)


if __name__ == "__main__":
    run_to_end(partial(main, Path(sys.argv[1])))
