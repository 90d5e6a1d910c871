"""The client of `tests.fork_server`: starts processes of the product as forks, and sees how they end."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]


class ForkServer:
    """A connection to the program that starts processes; threads may share it."""

    def __init__(self, connected: socket.socket) -> None:
        self.lock = threading.RLock()
        self._socket = connected
        self._lines = connected.makefile("rw", encoding="utf-8")
        self._running: dict[int, ForkedProcess] = {}

    def start(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        directory: Path,
        log: Path,
        patches: Sequence[str] = (),
        arming: Sequence[str] = (),
    ) -> "ForkedProcess":
        """A new process that runs the module; the request is described in `tests.fork_server`."""
        request = {
            "module": module,
            "arguments": list(arguments),
            "environment": dict(environment),
            "directory": str(directory),
            "log": str(log),
            "patches": list(patches),
            "arming": list(arming),
        }
        with self.lock:
            process = ForkedProcess(self, int(self._ask(request)))
            self._running[process.pid] = process
        return process

    def look(self) -> None:
        """Find out which processes ended, stopped or continued, and note it on them."""
        with self.lock:
            for pid, status in self._ask({}).items():
                process = self._running[int(pid)]
                process.note(status)
                if process.returncode is not None:
                    del self._running[process.pid]

    def _ask(self, request: dict[str, Any]) -> Any:
        self._lines.write(json.dumps(request) + "\n")
        self._lines.flush()
        if not (line := self._lines.readline()):
            raise EOFError("the fork server has ended")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()


class ForkedProcess:
    """A process that a fork server started. `returncode` and `is_stopped` are as of the last look."""

    def __init__(self, server: ForkServer, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.is_stopped = False
        self._server = server

    def note(self, status: int) -> None:
        """Note a wait status."""
        self.is_stopped = os.WIFSTOPPED(status)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            self.returncode = os.waitstatus_to_exitcode(status)

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or None if the process runs."""
        if self.returncode is None:
            self._server.look()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the process has ended; its exit code. Raises subprocess.TimeoutExpired."""
        deadline = time.monotonic() + (timeout if timeout is not None else float("inf"))
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.01)
        return code

    def send_signal(self, sig: int) -> None:
        """Send a signal to the process, unless it has ended."""
        with self._server.lock:
            if self.poll() is None:
                os.kill(self.pid, sig)

    def kill(self) -> None:
        """Kill the process, as a power cut does."""
        self.send_signal(signal.SIGKILL)


@contextmanager
def shared_fork_server(path: Path) -> Iterator[ForkServer]:
    """The fork server at `path`. The own processes are killed at the end of the block.

    Processes that run tests share it. The first that comes starts it, and at the end waits for the others.
    """
    with ExitStack() as stack:
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (connected := _connect(path)) is None:
                path.unlink(missing_ok=True)  # of a server that has ended
                stack.enter_context(_start(path))
                connected = _connect(path)
        assert connected is not None, "the fork server ended; its message stands on standard error"
        with connected:
            yield connected


def _connect(path: Path) -> ForkServer | None:
    """A connection to the fork server at `path`; None if it does not run, or ends just now."""
    connected = socket.socket(socket.AF_UNIX)
    try:
        connected.connect(str(path))
        found = ForkServer(connected)
        found.look()
    except (OSError, EOFError):
        connected.close()
        return None
    return found


@contextmanager
def _start(path: Path) -> Iterator[None]:
    """A fork server that listens at `path`. It ends after the block, when no process needs it."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fork_server", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},  # the forks inherit it
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
