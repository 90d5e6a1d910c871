"""Processes under measurement: the product's and the bare application's, with what they take from the machine."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

from pydantic import SecretStr

from benchmarks.errors import CannotMeasure
from benchmarks.proc import cpu_seconds, memory_bytes
from complaints import wiring
from complaints.settings import Settings

SECRET = "benchmark-key-of-a-database-soon-dropped"  # noqa: S105 - it opens nothing that lasts
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
_START_SECONDS = 60.0
_STOP_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Process:
    """A running process; what it prints goes to `log`."""

    popen: "subprocess.Popen[bytes]"
    log: Path

    @property
    def cpu_seconds(self) -> float:
        """The processor time it has taken so far."""
        return cpu_seconds(self.popen.pid)

    @property
    def memory_bytes(self) -> int:
        """Its resident set."""
        return memory_bytes(self.popen.pid)

    def port(self) -> int:
        """The port it printed, once it did."""
        return int(self._wait_for(_ADDRESS)[1])

    def wait_ready(self) -> int:
        """Wait until /readyz says so; its port."""
        port, deadline = self.port(), time.monotonic() + _START_SECONDS
        while not is_ready(port):
            self._check(deadline)
            time.sleep(0.005)
        return port

    def wait_printed(self, text: str) -> None:
        """Wait until it has printed `text`."""
        self._wait_for(re.compile(re.escape(text)))

    def _wait_for(self, pattern: re.Pattern[str]) -> re.Match[str]:
        deadline = time.monotonic() + _START_SECONDS
        while (found := pattern.search(self.log.read_text(encoding="utf-8"))) is None:
            self._check(deadline)
            time.sleep(0.005)
        return found

    def _check(self, deadline: float) -> None:
        if self.popen.poll() is not None or time.monotonic() > deadline:
            raise CannotMeasure(f"A process did not start:\n{self.log.read_text(encoding='utf-8')[-3000:]}")

    def stop(self) -> None:
        """End it in good order; if it does not, kill it."""
        self.popen.send_signal(signal.SIGTERM)
        try:
            self.popen.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()


def is_ready(port: int) -> bool:
    """Whether /readyz on that port says so."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def product_environment(directory: Path, url: str | None, *, scheduler: bool = False) -> dict[str, str]:
    """The environment of a process of the product: nothing of this one's settings. `url` None: embedded."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COMPLAINTS_")}
    own = {
        "COMPLAINTS_DATA_DIR": str(directory),
        "COMPLAINTS_PORT": "0",
        "COMPLAINTS_BOOTSTRAP_API_KEY": SECRET,
        "COMPLAINTS_SCHEDULER": "1" if scheduler else "0",
        "PYTHONUNBUFFERED": "1",
    }
    return inherited | own | ({"COMPLAINTS_DATABASE_URL": url} if url else {})


@contextmanager
def running(
    arguments: Sequence[str], directory: Path, environment: dict[str, str] | None = None
) -> Iterator[Process]:
    """`python -m ARGUMENTS`, ended with the block."""
    log = directory / f"{uuid4().hex}.log"
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    process = Process(popen, log)
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def serving(
    count: int,
    directory: Path,
    url: str | None = None,
    *,
    scheduler: bool = False,
    extra: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[list[Process]]:
    """`count` times `complaints serve`, each on a port of its own, over one database that is brought up first.

    `extra` are further settings.
    """
    environment = product_environment(directory, url, scheduler=scheduler) | dict(extra)
    if url is not None:  # an embedded one is brought up by `serve` itself
        migrate(directory, url)
    with ExitStack() as stack:
        started = [
            stack.enter_context(running(["complaints", "serve"], directory, environment))
            for _ in range(count)
        ]
        for process in started:
            process.wait_ready()
        yield started


@contextmanager
def serving_bare(count: int, directory: Path) -> Iterator[list[Process]]:
    """`count` times the bare application, each on a port of its own."""
    with ExitStack() as stack:
        started = [stack.enter_context(running(["benchmarks.bare_app"], directory)) for _ in range(count)]
        for process in started:
            process.wait_ready()
        yield started


def migrate(directory: Path, url: str) -> None:
    """What `complaints migrate` does, whatever the settings of this process."""
    settings = Settings(
        database_url=url, data_dir=directory, bootstrap_api_key=SecretStr(SECRET), sandbox=False, policy=None
    )
    service, *_ = wiring.migrate_and_seed(settings)
    service.database.engine.dispose()
