"""Real processes of the product, started as a user does and ended as an operator or a power cut does."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2

READY_SECONDS = 60.0
STOP_SECONDS = 30.0
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


class Running:
    """One process; everything it prints is in `log`."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
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
    """Starts processes with their data in `directory`; ends in `close` those still alive."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._started: list[Running] = []
        self._open = ExitStack()

    def serve(self, url: str | None = None, *, ready: bool = True, **settings: Any) -> RunningServer:
        """`complaints serve` on a free port, with settings such as `sandbox=1`; waits until it is ready."""
        server = RunningServer(*self._start(["serve"], url, {"port": 0, **settings}))
        self._started.append(server)
        if ready:
            server.wait_ready()
        return server

    def run(self, *arguments: str, url: str | None = None, **settings: Any) -> Running:
        """`complaints` with these arguments."""
        running = Running(*self._start(list(arguments), url, settings))
        self._started.append(running)
        return running

    def _start(
        self, arguments: list[str], url: str | None, settings: dict[str, Any]
    ) -> tuple["subprocess.Popen[bytes]", Path]:
        log = self.directory / f"{arguments[0]}-{len(self._started)}.log"
        output = self._open.enter_context(log.open("wb"))
        process = subprocess.Popen(
            [sys.executable, "-m", "complaints", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self.directory,
            env=self.environment(url, **settings),
        )
        return process, log

    def environment(self, url: str | None, **settings: Any) -> dict[str, str]:
        """The environment of a process of ours: nothing of the surrounding one's settings."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("COMPLAINTS_")}
        own = {"data_dir": self.directory / "var", "database_url": url, **settings}
        told = {f"COMPLAINTS_{name.upper()}": str(value) for name, value in own.items() if value is not None}
        return {**inherited, **told, "PYTHONUNBUFFERED": "1", "COLUMNS": "500"}

    def close(self) -> None:
        """End what is still alive."""
        for running in self._started:
            if running.process.poll() is None:
                running.kill()
        self._open.close()


@contextmanager
def launching(directory: Path) -> Iterator[Launcher]:
    """A launcher whose processes end with the block."""
    launcher = Launcher(directory)
    try:
        yield launcher
    finally:
        launcher.close()
