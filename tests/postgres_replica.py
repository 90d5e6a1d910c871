"""A streaming replica of a PostgreSQL server that `tests/postgres_server.py` started; ends with its owner.

    python tests/postgres_replica.py PRIMARY_URL

prints the replica's URL and serves until standard input closes. `replicating()` does the same for a test.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import postgres_server as server


@contextmanager
def replicating(primary_url: str) -> Iterator[str]:
    """The URL of a new replica; or PostgresUnavailable."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).resolve()), primary_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as launcher:
        assert launcher.stdin is not None
        assert launcher.stdout is not None
        url = launcher.stdout.readline().strip()
        try:
            if not url:
                raise server.PostgresUnavailable("the replica's launcher failed; see standard error")
            yield url
        finally:
            launcher.stdin.close()


def main(arguments: Sequence[str]) -> int:
    """Serve until standard input closes or a signal asks for the end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    home = Path(tempfile.mkdtemp(prefix="complaints-pg-", dir="/tmp"))
    try:
        with _running(home, arguments[0]):
            print(f"postgresql://{server.SUPERUSER}@/postgres?host={home}", flush=True)
            sys.stdin.read()
    except server.PostgresUnavailable as failure:
        print(f"postgres_replica.py: {failure}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 0


@contextmanager
def _running(home: Path, primary_url: str) -> Iterator[None]:
    account = server._account(home)
    programs, data, log = server._programs(home, account), home / "data", home / "log"
    copy = [programs / "pg_basebackup", "-d", primary_url, "-D", data, "-R", "-c", "fast", "--no-sync"]
    done = subprocess.run(copy, capture_output=True, text=True, check=False, **account)
    if done.returncode:
        raise server.PostgresUnavailable(f"pg_basebackup failed:\n{done.stderr}")
    settings = {**server.SETTINGS, **server.FORGETFUL, "unix_socket_directories": str(home)}
    command = [programs / "postgres", "-D", data, *(f"--{k}={v}" for k, v in settings.items())]
    with log.open("w") as output:
        running = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True, **account)
    try:
        server._await_ready(running, data, log)
        yield
    finally:
        server._stop(running)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
