"""Real processes of the product, started as a user does and ended as an operator or a power cut does."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import httpx2

READY_SECONDS = 60.0
STOP_SECONDS = 30.0
NURSERY = Path(__file__).with_name("process_nursery.py")
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
_OUTPUT = {"PYTHONUNBUFFERED": "1", "COLUMNS": "500"}


class Process(Protocol):
    """What `subprocess.Popen` and `Forked` have in common."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None:
        """The exit code of one that has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended."""

    def send_signal(self, sig: int) -> None:
        """Send it, unless it has ended."""

    def kill(self) -> None:
        """End it as a power cut does."""


class Nursery:
    """Begins commands of the product as forks of one process that has loaded it (see `process_nursery`)."""

    def __init__(self, requests: IO[str], answers: IO[str]) -> None:
        self._requests = requests
        self._answers = answers

    def begin(self, **request: Any) -> "Forked":
        """The process that does this."""
        return Forked(self, int(self.ask(**request)))

    def ask(self, **request: Any) -> Any:
        """The answer to a request."""
        self._requests.write(json.dumps(request, default=str) + "\n")
        self._requests.flush()
        return json.loads(self._answers.readline())


class Forked:
    """A process that a nursery began."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._nursery = nursery

    def poll(self) -> int | None:
        """The exit code of one that has ended."""
        if self.returncode is None:
            self.returncode = self._nursery.ask(poll=self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        deadline = time.monotonic() + (timeout if timeout is not None else float("inf"))
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.01)
        return code

    def send_signal(self, sig: int) -> None:
        """Send it, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.send_signal(signal.SIGKILL)


@contextmanager
def nursing() -> Iterator[Nursery]:
    """A nursery whose processes end with the block."""
    with subprocess.Popen(
        [sys.executable, str(NURSERY)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **_OUTPUT},
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Nursery(process.stdin, process.stdout)
        process.stdin.close()


class Running:
    """One process; everything it prints is in `log`."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def output(self) -> str:
        """What it printed so far, standard error included."""
        return self.log.read_text(encoding="utf-8")

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Its exit code, once it has ended by itself; negative for a signal."""
        return self.process.wait(seconds)

    def terminate(self, seconds: float = STOP_SECONDS) -> int:
        """Ask it to end, as a service manager does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait()

    def wait_for(self, text: str, seconds: float = READY_SECONDS) -> None:
        """Until it has printed `text`. Fails where it ends before, or takes too long."""
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
        """Until /readyz says so."""
        self._await(lambda: _ADDRESS.search(self.output) is not None, "to print its address", READY_SECONDS)
        self._await(self._is_ready, "to be ready", READY_SECONDS)

    def _is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/readyz", timeout=10).status_code == 200
        except httpx2.TransportError:
            return False

    def client(self, secret: str | None = None) -> httpx2.Client:
        """A client that sends this key, if any."""
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=30)


class Launcher:
    """Starts processes with their data in `directory`; ends in `close` those still alive.

    They are forks from the nursery; without one, or where `is_new` asks for it, new interpreters.
    """

    def __init__(self, directory: Path, nursery: Nursery | None = None) -> None:
        self.directory = directory
        self._nursery = nursery
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

    def run(self, *arguments: str, url: str | None = None, is_new: bool = False, **settings: Any) -> Running:
        """`complaints` with these arguments."""
        running = Running(*self._start(list(arguments), url, settings, is_new=is_new))
        self._started.append(running)
        return running

    def _start(
        self, arguments: list[str], url: str | None, settings: dict[str, Any], *, is_new: bool
    ) -> tuple[Process, Path]:
        log = self.directory / f"{arguments[0]}-{len(self._started)}.log"
        output = self._open.enter_context(log.open("wb"))
        environment = self.environment(url, **settings)
        if self._nursery and not is_new:
            begun = self._nursery.begin(
                module="complaints",
                arguments=arguments,
                environment=environment,
                directory=self.directory,
                log=log,
            )
            return begun, log
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
        """The environment of a process of ours: nothing of the surrounding one's settings."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("COMPLAINTS_")}
        own = {"data_dir": self.directory / "var", "database_url": url, **settings}
        told = {f"COMPLAINTS_{name.upper()}": str(value) for name, value in own.items() if value is not None}
        return {**inherited, **told, **_OUTPUT}

    def close(self) -> None:
        """End what is still alive."""
        for running in self._started:
            if running.process.poll() is None:
                running.kill()
        self._open.close()


@contextmanager
def launching(directory: Path, nursery: Nursery | None = None) -> Iterator[Launcher]:
    """A launcher whose processes end with the block."""
    launcher = Launcher(directory, nursery)
    try:
        yield launcher
    finally:
        launcher.close()
