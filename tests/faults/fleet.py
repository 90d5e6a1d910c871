"""A fleet of real processes of the product. When one ends, another starts at once, as under a service manager."""

import json
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.fork_client import ForkedProcess, ForkServer
from tests.support import ADMIN_SECRET

READY_SECONDS = 60.0
WITH_REVIEWS = "with_reviews"  # every process has the fixture annex; the registry of the product stays empty
_PORTS = range(20000, 32000)  # below those that the system hands to clients


@dataclass
class Member:
    """A place in the fleet. When its process has ended, another process takes the place."""

    name: str
    arguments: Sequence[str]
    settings: dict[str, Any]
    patches: Sequence[str] = ()
    until_done: bool = False
    done: bool = False
    process: ForkedProcess | None = None
    incarnation: int = 0

    @property
    def connection_name(self) -> str:
        """The name of its present process in the database's list of connections."""
        return f"{self.name}-{self.incarnation}"

    @property
    def url(self) -> str:
        """The address of an API process."""
        return f"http://127.0.0.1:{self.settings['port']}"

    @property
    def stopped(self) -> bool:
        """Whether its process was stopped and has not gone on."""
        return self.process is not None and self.process.is_stopped


@dataclass
class Fleet:
    """API processes and workers on one database."""

    fork_server: ForkServer
    url: str
    directory: Path
    ended: list[tuple[str, str]] = field(default_factory=list)
    dead: dict[str, float] = field(default_factory=dict)
    _members: list[Member] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _done: threading.Event = field(default_factory=threading.Event)

    def add_api(self, *, patches: Sequence[str] = (), **settings: Any) -> Member:
        """A `complaints serve` that does not watch the deadlines, unless the settings say so."""
        settings = {"port": _free_port(), "scheduler": 0, **settings}
        return self._add("api", ["serve"], settings, patches)

    def add_worker(
        self, *, patches: Sequence[str] = (), arming: Sequence[str] = (), **settings: Any
    ) -> Member:
        """A `complaints worker`. `arming` is a point and the signal that its first process sends itself there."""
        return self._add("worker", ["worker"], settings, patches, arming)

    def add_import(self, file: Path) -> Member:
        """A `complaints import`, started again until it ends with exit code 0."""
        member = self._add("import", ["import", str(file)], {}, ())
        member.until_done = True
        return member

    def _add(
        self,
        role: str,
        arguments: Sequence[str],
        settings: dict[str, Any],
        patches: Sequence[str],
        arming: Sequence[str] = (),
    ) -> Member:
        with self._lock:
            member = Member(f"{role}{len(self._members)}", arguments, settings, patches)
            self._members.append(member)
            self._start(member, arming)
        return member

    def _start(self, member: Member, arming: Sequence[str] = ()) -> None:
        member.incarnation += 1
        member.process = self.fork_server.start(
            "complaints",
            member.arguments,
            environment=self._environment(member),
            directory=self.directory,
            log=self.directory / f"{member.name}.log",
            patches=[WITH_REVIEWS, *member.patches],
            arming=arming,
        )

    def _environment(self, member: Member) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("COMPLAINTS_")}
        own = {
            "data_dir": self.directory / "var",
            "database_url": self._named(member.connection_name),
            "bootstrap_api_key": ADMIN_SECRET,
            **member.settings,
        }
        return inherited | {
            name if name.isupper() else f"COMPLAINTS_{name.upper()}": str(value)
            for name, value in own.items()
        }

    def _named(self, connection_name: str) -> str:
        if self.url.startswith("sqlite"):
            return self.url
        return f"{self.url}{'&' if '?' in self.url else '?'}application_name={connection_name}"

    @property
    def kills(self) -> int:
        """How many processes died of `kill -9`."""
        return sum(how == "SIGKILL" for _, how in self.ended)

    @property
    def apis(self) -> list[Member]:
        """The API processes."""
        return [m for m in self._members if m.arguments[0] == "serve"]

    @property
    def workers(self) -> list[Member]:
        """The workers."""
        return [m for m in self._members if m.arguments[0] == "worker"]

    def kill(self, member: Member) -> None:
        """`kill -9` a process. Another process takes its place at once."""
        with self._lock:
            if member.process:
                member.process.kill()

    def kill_one(self, dice: random.Random, among: Sequence[Member] = ()) -> None:
        """`kill -9` one process, by chance."""
        self.kill(dice.choice(among or self._members))

    def go_on(self, member: Member) -> None:
        """Let a stopped process go on."""
        assert member.process is not None
        member.process.send_signal(signal.SIGCONT)

    def supervise(self) -> None:
        """Note which processes ended, and start others, until the end of the fleet."""
        while not self._done.wait(0.02):
            self._look(restart=True)

    def _look(self, *, restart: bool) -> None:
        with self._lock:
            self.fork_server.look()
            for member in self._members:
                if member.process is None or member.process.returncode is None:
                    continue
                self.ended.append((member.name, _describe(member.process.returncode)))
                self.dead[member.connection_name] = time.monotonic()
                member.done = member.until_done and member.process.returncode == 0
                member.process = None
                if restart and not member.done:
                    self._start(member)

    def end(self) -> None:
        """Kill the processes that are left."""
        self._done.set()
        with self._lock:
            for member in self._members:
                self.kill(member)
            deadline = time.monotonic() + 10
            while any(m.process for m in self._members) and time.monotonic() < deadline:
                self._look(restart=False)
                time.sleep(0.01)

    def await_ready(self) -> None:
        """Wait until each API process takes requests and each worker watches the deadlines."""
        for member in [*self.apis, *self.workers]:
            _await(lambda m=member: self._is_up(m), f"{member.name} to be up")  # type: ignore[misc]

    def _is_up(self, member: Member) -> bool:
        if member.arguments[0] == "worker":
            return "Watching the deadlines" in self.log(member)
        try:
            with socket.create_connection(("127.0.0.1", member.settings["port"])):
                return True
        except OSError:
            return False

    def log(self, member: Member) -> str:
        """All output of its processes."""
        path = self.directory / f"{member.name}.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def client(self, member: Member) -> httpx2.Client:
        """A client of one API process, with full rights."""
        return httpx2.Client(
            base_url=member.url, headers={"Authorization": f"Bearer {ADMIN_SECRET}"}, timeout=30
        )

    def failures(self, *, allowed: Sequence[str] = ()) -> list[str]:
        """The exceptions in its processes' logs. A type with an ending in `allowed` is left out."""
        found = set()
        for member in self._members:
            for line in self.log(member).splitlines():
                found |= {f"{member.name} failed: {what}" for what in _raised(line, allowed)}
        return sorted(found)


def _describe(code: int) -> str:
    """The exit code, or the name of the signal that ended the process."""
    return str(code) if code >= 0 else signal.Signals(-code).name


def _raised(line: str, allowed: Sequence[str]) -> list[str]:
    if not line.startswith("{"):
        return [line] if line.startswith("Traceback") else []
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return []  # its process was killed while it wrote the line
    raised = entry.get("raised") or []
    if entry["level"] != "error" or not raised or raised[0]["type"].endswith(tuple(allowed)):
        return []
    return [f"{entry['event']}: {' from '.join(one['type'] for one in raised)}"]


def _await(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not happened():
        assert time.monotonic() < deadline, f"waited {READY_SECONDS} s for {what}"
        time.sleep(0.02)


def _free_port() -> int:
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


@contextmanager
def run_fleet(fork_server: ForkServer, url: str, directory: Path) -> Iterator[Fleet]:
    """A fleet, empty at first. At the end of the block all its processes are killed."""
    directory.mkdir(exist_ok=True)
    fleet = Fleet(fork_server, url, directory)
    supervisor = threading.Thread(target=fleet.supervise, daemon=True)
    supervisor.start()
    try:
        yield fleet
    finally:
        fleet.end()
        supervisor.join()
