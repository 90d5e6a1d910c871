"""Backups are restored: PostgreSQL to an instant between two complaints, the embedded database from a copy.

The commands are those of docs/deployment.md.
"""

import shlex
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import postgres_server as server
from tests.journeys.running_server import Launcher
from tests.support import Scenario, check_all, make_template, opened_service

# A server that recovers needs as many connections as the one whose log it reads.
_OPTIONS = [f"--{name}={value}" for name, value in server.SETTINGS.items()]


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory that PostgreSQL may use, with a path short enough for its socket."""
    made = Path(tempfile.mkdtemp(prefix="complaints-pg-", dir="/tmp"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def _run(account: dict[str, Any], command: str) -> None:
    subprocess.run(shlex.split(command), check=True, capture_output=True, **account)


def test_postgresql_is_restored_to_an_instant(home: Path) -> None:
    try:
        account = server._account(home)
        programs = server._programs(home, account)
    except server.PostgresUnavailable as failure:
        pytest.skip(f"no PostgreSQL: {failure}")
    archive, backup, serving = home / "archive", home / "backup", home / "serving"
    for directory in (archive, serving):
        directory.mkdir()
        if "user" in account:
            shutil.chown(directory, account["user"], account["group"])
    archiving = {"archive_mode": "on", "archive_command": f"test ! -f {archive}/%f && cp %p {archive}/%f"}
    url = f"postgresql://postgres@/postgres?host={serving}"
    with server.running(serving, serving / "data", {**server.SETTINGS, **archiving}):
        make_template(url)
        with opened_service(url) as service:
            scenario = Scenario(service)
            before = scenario.post(subject="Before the backup")
            _run(account, f"{programs}/pg_basebackup -d {url} -D {backup} -c fast -X none")
            after = scenario.post(subject="After the backup, before the mistake")
            with psycopg.connect(url, autocommit=True) as connection:
                [instant] = connection.execute("SELECT clock_timestamp()").fetchone() or [None]
                time.sleep(0.1)
                connection.execute("UPDATE complaint SET subject = 'a mistake'")
                connection.execute("SELECT pg_switch_wal()")
                _await_archived(connection)

    settings = (
        f"restore_command = 'cp {archive}/%f %p'\n"
        f"recovery_target_time = '{instant}'\n"
        "recovery_target_action = 'promote'\n"
    )
    with (backup / "postgresql.auto.conf").open("a") as configuration:
        configuration.write(settings)
    _run(account, f"touch {backup}/recovery.signal")
    command = [programs / "postgres", "-D", backup, f"--unix_socket_directories={home}", *_OPTIONS]
    log = home / "log"
    with log.open("w") as output:
        restored = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True, **account)
    try:
        server._await_ready(restored, backup, log)
        with opened_service(f"postgresql://postgres@/postgres?host={home}") as service:
            _await_writable(home)
            scenario = Scenario(service)
            assert scenario.load(before).subject == "Before the backup"
            assert scenario.load(after).subject == "After the backup, before the mistake"
            assert list(check_all(service)) == []
            scenario.post(subject="Life goes on")
    finally:
        server._stop(restored)


def _await_archived(connection: "psycopg.Connection[Any]") -> None:
    """Until the segment that was current a moment ago is in the archive."""
    deadline = time.monotonic() + 60
    left = "SELECT count(*) FROM pg_ls_dir('pg_wal/archive_status') AS name WHERE name LIKE '%.ready'"
    while connection.execute(left).fetchone() != (0,):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _await_writable(home: Path) -> None:
    """Until the server has reached its instant and takes writes."""
    deadline = time.monotonic() + 60
    with psycopg.connect(host=str(home), user="postgres", autocommit=True) as connection:
        while connection.execute("SELECT pg_is_in_recovery()").fetchone() != (False,):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_the_embedded_database_is_restored_from_a_copy_made_while_it_served(launcher: Launcher) -> None:
    served = launcher.serve()
    secret = (launcher.directory / "var" / "first-key").read_text().strip()
    copy = launcher.directory / "backup.db"
    with served.client(secret) as http:
        posted = http.post("/v1/complaints", json={"channel": "phone", "subject": "Before the backup"})
        kept = http.get(posted.headers["Location"]).json()
        connection = sqlite3.connect(launcher.directory / "var" / "complaints.db")
        connection.execute("VACUUM INTO ?", [str(copy)])
        connection.close()
        lost = http.post("/v1/complaints", json={"channel": "phone", "subject": "After the backup"}).json()
    served.kill()
    for leftover in (launcher.directory / "var").glob("complaints.db*"):
        leftover.unlink()
    copy.rename(launcher.directory / "var" / "complaints.db")

    restored = launcher.serve()
    with restored.client(secret) as http:
        assert http.get(f"/v1/complaints/{kept['id']}").json() == kept
        assert http.get(f"/v1/complaints/{lost['id']}").status_code == 404
    checked = launcher.run("check")
    assert checked.wait(120) == 0, checked.output
