"""Real processes of the product: started as by a user, ended as by an operator or a power cut."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx2

from tests.fork_client import ForkServer

READY_SECONDS = 60.0
PATIENCE_SECONDS = 300.0  # a process takes seconds to start, many where the machine is busy
STOP_SECONDS = 30.0
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
_OUTPUT = {"PYTHONUNBUFFERED": "1", "COLUMNS": "500"}
# The servers speak plain HTTP. To load the certificates of the world takes 20 ms for each client.
_PLAIN = {"verify": False}


def await_true(happened: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until it has happened. Fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.05)


class Process(Protocol):
    """The common part of `subprocess.Popen` and `ForkedProcess`."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None:
        """The exit code, or None if the process runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the process has ended; its exit code."""

    def send_signal(self, sig: int) -> None:
        """Send a signal to the process, unless it has ended."""

    def kill(self) -> None:
        """Kill the process, as a power cut does."""


class Running:
    """One process. All its output is in `log`."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def output(self) -> str:
        """Its output so far, standard error included."""
        return self.log.read_text(encoding="utf-8")

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Wait until the process has ended; its exit code, negative for a signal."""
        return self.process.wait(seconds)

    def terminate(self, seconds: float = STOP_SECONDS) -> int:
        """Ask the process to end, as a service manager does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self) -> None:
        """Kill the process, as a power cut does."""
        self.process.kill()
        self.process.wait()

    def wait_for(self, text: str, seconds: float = READY_SECONDS) -> None:
        """Wait until the process has printed `text`. Fails if it ends before, or after `seconds`."""
        self._await(lambda: text in self.output, f"to print {text!r}", seconds)

    def _await(self, happened: Callable[[], bool], what: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not happened():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.output}"
            assert time.monotonic() < deadline, f"waited {seconds} s for it {what}:\n{self.output}"
            time.sleep(0.02)


class RunningServer(Running):
    """A `complaints serve` that takes requests."""

    @property
    def url(self) -> str:
        """The address it printed."""
        found = _ADDRESS.search(self.output)
        assert found is not None, self.output
        return found[0]

    def wait_ready(self) -> None:
        """Wait until /readyz says that the server is ready."""
        self._await(lambda: _ADDRESS.search(self.output) is not None, "to print its address", READY_SECONDS)
        self._await(self._is_ready, "to be ready", READY_SECONDS)

    def _is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/readyz", timeout=10, **_PLAIN).status_code == 200
        except httpx2.TransportError:
            return False

    def client(self, secret: str | None = None) -> httpx2.Client:
        """A client that sends this key, or none."""
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=30, **_PLAIN)


class Launcher:
    """Starts processes with their data in `directory`. `close` kills the processes that still run.

    The processes are forks of the fork server. Without a fork server, or with `is_new`, they are new interpreters.
    """

    def __init__(self, directory: Path, fork_server: ForkServer | None = None) -> None:
        self.directory = directory
        self._fork_server = fork_server
        self._started: list[Running] = []
        self._open = ExitStack()

    def serve(
        self, url: str | None = None, *, ready: bool = True, is_new: bool = False, **settings: Any
    ) -> RunningServer:
        """`complaints serve` on a free port, with settings such as `sandbox=1`; waits until it is ready."""
        server = RunningServer(*self._start(["serve"], url, {"port": 0, **settings}, is_new=is_new))
        self._started.append(server)
        if ready:
            server.wait_ready()
        return server

    def run(
        self,
        *arguments: str,
        url: str | None = None,
        is_new: bool = False,
        arming: Sequence[str] = (),
        **settings: Any,
    ) -> Running:
        """`complaints` with these arguments. A fork may be armed: `arming` is described in `tests.fork_server`."""
        running = Running(*self._start(list(arguments), url, settings, is_new=is_new, arming=arming))
        self._started.append(running)
        return running

    def _start(
        self,
        arguments: list[str],
        url: str | None,
        settings: dict[str, Any],
        *,
        is_new: bool,
        arming: Sequence[str] = (),
    ) -> tuple[Process, Path]:
        log = self.directory / f"{arguments[0]}-{len(self._started)}.log"
        output = self._open.enter_context(log.open("wb"))
        environment = self.environment(url, **settings)
        if self._fork_server and not is_new:
            fork = self._fork_server.start(
                "complaints",
                arguments,
                environment=environment,
                directory=self.directory,
                log=log,
                arming=arming,
            )
            return fork, log
        assert not arming, "a new interpreter cannot be armed"
        process = subprocess.Popen(
            [sys.executable, "-m", "complaints", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self.directory,
            env=environment,
        )
        return process, log

    def environment(self, url: str | None, **settings: Any) -> dict[str, str]:
        """The environment of a new process, without the settings of this process."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("COMPLAINTS_")}
        own = {"data_dir": self.directory / "var", "database_url": url, **settings}
        given = {f"COMPLAINTS_{name.upper()}": str(value) for name, value in own.items() if value is not None}
        return {**inherited, **given, **_OUTPUT}

    def close(self) -> None:
        """Kill the processes that still run."""
        for running in self._started:
            if running.process.poll() is None:
                running.kill()
        self._open.close()


@contextmanager
def launching(directory: Path, fork_server: ForkServer | None = None) -> Iterator[Launcher]:
    """A launcher whose processes are killed at the end of the block."""
    launcher = Launcher(directory, fork_server)
    try:
        yield launcher
    finally:
        launcher.close()
