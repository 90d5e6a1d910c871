"""A fleet of real processes of the product that are started again at once when they end, as a service manager does."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.support import ADMIN_SECRET

ROOT = Path(__file__).parents[2]
READY_SECONDS = 60.0
_PORTS = range(20000, 32000)  # below those that the system hands to clients


class Nursery:
    """Makes processes (see `nursery.py`)."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._lock = threading.Lock()

    def start(self, arguments: Sequence[str], **options: Any) -> int:
        """The process id of a new process."""
        return int(self._ask({"start": list(arguments), **options}))

    def changes(self) -> dict[int, str]:
        """How processes ended or stopped since the last question: by which signal, or with which exit code."""
        return {int(pid): how for pid, how in self._ask({}).items()}

    def _ask(self, command: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


@contextmanager
def nursing() -> Iterator[Nursery]:
    """A nursery whose processes end with the block."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.nursery"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": paths},
        start_new_session=True,
    ) as process:
        yield Nursery(process)
        assert process.stdin is not None
        process.stdin.close()


@dataclass
class Member:
    """A place in the fleet, held by one process after the other."""

    name: str
    arguments: Sequence[str]
    settings: dict[str, Any]
    patches: Sequence[str] = ()
    until_done: bool = False
    done: bool = False
    pid: int = 0
    incarnation: int = 0
    stopped: bool = False

    @property
    def connection_name(self) -> str:
        """What its present process is called in the database's list of connections."""
        return f"{self.name}-{self.incarnation}"

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.settings['port']}"


@dataclass
class Fleet:
    """API processes and workers on one database."""

    nursery: Nursery
    url: str
    directory: Path
    ended: list[tuple[str, str]] = field(default_factory=list)
    dead: dict[str, float] = field(default_factory=dict)
    _members: list[Member] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _done: threading.Event = field(default_factory=threading.Event)

    def add_api(self, *, patches: Sequence[str] = (), **settings: Any) -> Member:
        """A `complaints serve` that does not watch the deadlines; settings may say otherwise."""
        settings = {"port": _free_port(), "scheduler": 0, **settings}
        return self._add("api", ["serve"], settings, patches)

    def add_worker(
        self, *, patches: Sequence[str] = (), arming: Sequence[str] = (), **settings: Any
    ) -> Member:
        """A `complaints worker`; `arming` is a point and the signal it sends itself there, once."""
        return self._add("worker", ["worker"], settings, patches, arming)

    def add_import(self, file: Path) -> Member:
        """A `complaints import`, started again until it says that it is done."""
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
        member.pid = self.nursery.start(
            member.arguments,
            environment=self._environment(member),
            log=str(self.directory / f"{member.name}.log"),
            patches=list(member.patches),
            arming=list(arming),
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
        """Those that serve."""
        return [m for m in self._members if m.arguments[0] == "serve"]

    @property
    def workers(self) -> list[Member]:
        """Those that watch the deadlines."""
        return [m for m in self._members if m.arguments[0] == "worker"]

    def alive(self) -> set[str]:
        """The names of present processes' connections."""
        with self._lock:
            return {m.connection_name for m in self._members if m.pid}

    def kill(self, member: Member) -> None:
        """`kill -9`; another takes its place at once."""
        with self._lock:
            if member.pid:
                os.kill(member.pid, signal.SIGKILL)

    def kill_one(self, dice: random.Random, among: Sequence[Member] = ()) -> None:
        """`kill -9` one of them, by chance."""
        self.kill(dice.choice(among or self._members))

    def go_on(self, member: Member) -> None:
        """Let a stopped process go on."""
        member.stopped = False
        os.kill(member.pid, signal.SIGCONT)

    def supervise(self) -> None:
        """Take note of who ended, and start them again, until told to stop."""
        while not self._done.wait(0.02):
            self._look(restart=True)

    def _look(self, *, restart: bool) -> None:
        with self._lock:
            for pid, how in self.nursery.changes().items():
                member = next((m for m in self._members if m.pid == pid), None)
                if member is None:
                    continue  # of another fleet, which is gone
                if how == "SIGSTOP":
                    member.stopped = True
                    continue
                self.ended.append((member.name, how))
                self.dead[member.connection_name] = time.monotonic()
                member.pid = 0
                member.done = member.until_done and how == "0"
                if restart and not member.done:
                    self._start(member)

    def end(self) -> None:
        """Kill what is left."""
        self._done.set()
        with self._lock:
            for member in self._members:
                if member.pid:
                    os.kill(member.pid, signal.SIGKILL)
            deadline = time.monotonic() + 10
            while self.alive() and time.monotonic() < deadline:
                self._look(restart=False)
                time.sleep(0.01)

    def await_ready(self) -> None:
        """Until each API process takes requests and each worker watches."""
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
        """Everything its processes printed."""
        path = self.directory / f"{member.name}.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def client(self, member: Member) -> httpx2.Client:
        """A client of one API process, with full rights."""
        return httpx2.Client(
            base_url=member.url, headers={"Authorization": f"Bearer {ADMIN_SECRET}"}, timeout=30
        )

    def failures(self, *, allowed: Sequence[str] = ()) -> list[str]:
        """Exceptions that its processes logged, except those whose type ends like one of `allowed`."""
        found = set()
        for member in self._members:
            for line in self.log(member).splitlines():
                found |= {f"{member.name} failed: {what}" for what in _raised(line, allowed)}
        return sorted(found)


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
def sailing(nursery: Nursery, url: str, directory: Path) -> Iterator[Fleet]:
    """A fleet, empty at first, supervised until the block ends; then all its processes are killed."""
    directory.mkdir(exist_ok=True)
    fleet = Fleet(nursery, url, directory)
    supervisor = threading.Thread(target=fleet.supervise, daemon=True)
    supervisor.start()
    try:
        yield fleet
    finally:
        fleet.end()
        supervisor.join()
