"""A process that is frozen or cut off keeps its row locks for less than ten seconds. On PostgreSQL."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.journeys.running_server import Launcher

FREED_SECONDS = 10
PATIENCE_SECONDS = 300.0
ROOT = Path(__file__).resolve().parents[2]
# Locks a row as the product does, and stops where its first argument says.
HOLDER = """
import os, signal, sys, time
from datetime import UTC, datetime
from complaints.storage.database.transactions import Database, open_engine

point, url = sys.argv[1:]

def rows():
    yield ("operations",)
    os.kill(os.getpid(), signal.SIGSTOP)
    yield ("network",)

with Database(open_engine(url), lambda _: datetime.now(UTC)).begin() as tx:
    cursor = tx.connection.connection.cursor()
    if point == "amid-many":
        cursor.executemany("UPDATE team SET active = true WHERE code = %s", rows())
    else:
        cursor.execute("UPDATE team SET active = true WHERE code = 'operations'")
    print("locked", flush=True)
    if point == "between":
        os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(60)
"""
# A server that takes connections over the network too.
SERVER = """
import sys
sys.path.insert(0, "")
from tests import postgres_server as server
server.SETTINGS["listen_addresses"] = "127.0.0.1"
sys.exit(server.main([]))
"""


@contextmanager
def holding(point: str, url: str, *before: str) -> "Iterator[subprocess.Popen[str]]":
    """A process that locks a row of the database at `url`."""
    command = [*before, sys.executable, "-c", HOLDER, point, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def await_locked(url: str) -> None:
    """Until somebody holds the row."""
    deadline = time.monotonic() + 60
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < deadline:
            free = "SELECT 1 FROM team WHERE code = 'operations' FOR UPDATE SKIP LOCKED"
            if connection.execute(free).fetchone() is None:
                return
            time.sleep(0.02)
    pytest.fail("nobody locked the row")


def seconds_until_free(url: str) -> float:
    """How long another has to wait for the row."""
    began = time.monotonic()
    with psycopg.connect(url, options="-c lock_timeout=30s") as connection:
        connection.execute("UPDATE team SET active = true WHERE code = 'operations'")
    return time.monotonic() - began


@pytest.mark.parametrize("point", ["between", "amid-many"])
def test_a_frozen_process_loses_its_locks(migrated_database_url: Callable[[str], str], point: str) -> None:
    url = migrated_database_url("postgresql")
    with holding(point, url) as process:
        await_locked(url)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        assert 3 < seconds_until_free(url) < FREED_SECONDS


def test_a_process_that_is_cut_off_loses_its_locks(launcher: Launcher) -> None:
    """Server and process have a network of their own that goes down; what looks on comes through a file."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
        pytest.skip("only root, with unshare, nsenter and ip, can cut a network off")
    probe = subprocess.run(["unshare", "--net", "ip", "link", "set", "lo", "up"], check=False)
    if probe.returncode:
        pytest.skip("networks of one's own are not allowed here")
    command = [
        "unshare",
        "--net",
        "sh",
        "-c",
        'ip link set lo up && exec "$@"',
        "sh",
        sys.executable,
        "-c",
        SERVER,
    ]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        migrated = launcher.run("migrate", url=url)
        assert migrated.wait(PATIENCE_SECONDS) == 0, migrated.output
        within = ["nsenter", f"--net=/proc/{server.pid}/ns/net"]
        listening = url.replace("@/", "@127.0.0.1/").partition("?")[0]
        with holding("asleep", listening, *within):
            await_locked(url)
            subprocess.run([*within, "ip", "link", "set", "lo", "down"], check=True)
            assert seconds_until_free(url) < FREED_SECONDS
        server.stdin.close()
