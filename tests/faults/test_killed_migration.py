"""The schema of the last release is migrated with a full history in it: killed at random moments, and run again.

    python -m pytest tests/faults/test_killed_migration.py -s --faults long --faults-report build/migration.json

A server of that release posts, reads and sweeps the whole time, and goes on with the new schema.
"""

import os
import random
import shutil
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import psycopg
import pytest

from complaints.storage.database import migrate
from complaints.storage.database.connections import open_engine
from tests.faults.conftest import ScenarioReport, Size, database_of, opened
from tests.faults.intake import Clients
from tests.faults.journal import Journal
from tests.journeys.running_server import Launcher, Running, RunningServer
from tests.postgres_server import FallibleServer
from tests.support import ADMIN_SECRET

ROOT = Path(__file__).parents[2]
# The last release: installations have its schema, and its program runs while they upgrade. A release moves both.
OLD_PROGRAM, OLD_SCHEMA = "c55b48d", "0014"
EVENTS_OF_A_COMPLAINT = 10
# Pages that read complaints, deadlines, texts and events.
READ = (
    "/v1/complaints?limit=20",
    "/v1/complaints?overdue=true&limit=20",
    "/v1/overdue/summary",
    "/v1/complaints?q=signal&limit=5",
    "/v1/changes?limit=20",
    "/v1/inbox",
)
# The old program makes its own data. Its copies lack the rows of their external ids, which `check` asks for.
MAKE = """
import sys
from sqlalchemy import text
from benchmarks.data.dataset import Shares, make_dataset
from complaints.storage.database.connections import open_engine
url, complaints, samples = sys.argv[1:]
make_dataset(url, Shares.of(int(complaints)), samples=int(samples))
with open_engine(url).begin() as connection:
    connection.execute(text(
        "INSERT INTO complaint_external_id (external_id, system, complaint_id) "
        "SELECT external_id, source, id FROM complaint WHERE external_id IS NOT NULL ON CONFLICT DO NOTHING"
    ))
"""


@pytest.fixture(scope="session")
def old_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source of the last release, from the history of the repository."""
    if migrate.head() == OLD_SCHEMA:
        pytest.skip(f"the schema is {OLD_SCHEMA}, as in the last release: there is nothing to migrate")
    command = ["git", "-C", str(ROOT), "archive", OLD_PROGRAM]
    if (
        shutil.which("git") is None
        or (packed := subprocess.run(command, capture_output=True, check=False)).returncode
    ):
        pytest.skip(f"the history of the repository is not here, so there is no program {OLD_PROGRAM}")
    directory = tmp_path_factory.mktemp("old")
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(directory, filter="data")
    return directory


@pytest.fixture(params=["postgresql", "sqlite"])
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Makes databases: empty, or copies of the database at a URL. On PostgreSQL they are durable."""
    if request.param == "sqlite":
        yield lambda source: _copy_file(source, tmp_path / f"{uuid4().hex[:12]}.db")
        return
    server: FallibleServer = request.getfixturevalue("postgres")
    names: list[str] = []

    def make(source: str) -> str:
        names.append(f"faults_{uuid4().hex[:12]}")
        template = urlsplit(source).path[1:] or "template0"
        connection.execute(f"CREATE DATABASE {names[-1]} TEMPLATE {template}")
        return database_of(server.url, names[-1])

    with psycopg.connect(server.url, autocommit=True) as connection:
        yield make
        for name in names:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _copy_file(source: str, path: Path) -> str:
    if source:
        shutil.copyfile(source.removeprefix("sqlite:///"), path)
    return f"sqlite:///{path}"


def test_the_last_release_runs_on_the_schema() -> None:
    known = migrate.revisions()
    assert known.index(migrate.oldest_program(migrate.head())) <= known.index(OLD_SCHEMA)


def test_a_killed_migration(
    make_database: Callable[[str], str], old_program: Path, launcher: Launcher, journal: Journal, size: Size,
    report: ScenarioReport, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    url = make_database("")
    report.fault = f"The migration of the last release killed, beside its program ({url.partition(':')[0]})"
    complaints = size.pick(10_000, 1_000_000) // EVENTS_OF_A_COMPLAINT
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(old_program / "src"), str(old_program)]))
        made = [sys.executable, "-c", MAKE, url, str(complaints), str(size.pick(28, 168))]
        subprocess.run(made, cwd=old_program, check=True)
        before = _count(url)
        alone = _migrate_alone(launcher, make_database(url))
        old = launcher.serve(url, is_new=True, bootstrap_api_key=ADMIN_SECRET)
    clients = Clients([old], journal, pause_seconds=0.05)
    with clients.working(2), _reading(old) as reads:
        _await(lambda: clients.statuses[201] > 5, "the old program takes no post")
        done = _migrate(launcher, url, kills=size.pick(3, 40), alone=alone)
        taken = clients.statuses[201]
        _await(lambda: clients.statuses[201] > taken + 5, "the old program takes no post on the new schema")
    with opened(url) as service:
        breaches = clients.breaches(service)
    assert old.terminate() == 0
    report.count(
        complaints=before["complaint"], events=before["event"], seconds_of_the_migration_alone=round(alone, 1),
        kills=done.kills, kills_half_way=done.half_way, seconds_with_kills=round(done.seconds, 1),
        posts_meanwhile=clients.statuses[201], longest_post_seconds=round(clients.longest_seconds, 1),
        answers_503=clients.statuses[503], reads_meanwhile=len(reads),
        longest_read_seconds=round(max(reads), 1),
    )  # fmt: skip
    assert breaches == []
    assert done.kills
    after = _count(url)
    assert after["complaint"] == before["complaint"] + clients.count_acknowledged()
    assert {name: count for name, count in before.items() if after[name] < count} == {}
    _check(launcher, url, report)


def _migrate_alone(launcher: Launcher, url: str) -> float:
    """The seconds of a migration that nobody disturbs."""
    began = time.monotonic()
    running = _start_migration(launcher, url)
    assert running.wait(3600) == 0, running.output
    return time.monotonic() - began


@dataclass
class Rehearsal:
    """The kills of a migration, how many of them left a schema between old and new, and the seconds in all."""

    kills: int = 0
    half_way: int = 0
    seconds: float = 0.0


def _migrate(launcher: Launcher, url: str, *, kills: int, alone: float) -> Rehearsal:
    """Kill the migration at random moments, until it ends or was killed so often."""
    dice, began, done = random.Random(15), time.monotonic(), Rehearsal()
    while True:
        running = _start_migration(launcher, url)
        if _ends_within(running, dice.uniform(0.05, 0.5) * alone if done.kills < kills else 3600):
            assert running.process.returncode == 0, running.output
            done.seconds = time.monotonic() - began
            return done
        running.kill()
        done.kills += 1
        done.half_way += _schema(url) not in (OLD_SCHEMA, migrate.head())


def _ends_within(running: Running, seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while running.process.poll() is None and time.monotonic() < limit:
        time.sleep(0.01)
    return running.process.returncode is not None


def _schema(url: str) -> str | None:
    engine = open_engine(url)
    with engine.connect() as connection:
        found = migrate.current(connection)
    engine.dispose()
    return found


def _start_migration(launcher: Launcher, url: str) -> Running:
    return launcher.run("migrate", url=url, bootstrap_api_key=ADMIN_SECRET)


@contextmanager
def _reading(server: RunningServer) -> Iterator[list[float]]:
    """A client reads pages from the server until the block ends. Yields the seconds of each answer."""
    seconds: list[float] = []
    stop = threading.Event()

    def read() -> None:
        with server.client(ADMIN_SECRET) as http:
            while not stop.wait(0.02):
                _read(http, READ[len(seconds) % len(READ)], seconds)

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        try:
            yield seconds
        finally:
            stop.set()
    reader.result()


def _read(http: httpx2.Client, page: str, seconds: list[float]) -> None:
    began = time.monotonic()
    answer = http.get(page)
    seconds.append(time.monotonic() - began)
    assert answer.status_code == 200, f"{page}: {answer.text[:300]}"


def _await(happened: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)


def _check(launcher: Launcher, url: str, report: ScenarioReport) -> None:
    """The new program catches up with the deadlines; then `check` finds nothing."""
    server = launcher.serve(url)
    began = time.monotonic()
    checked = launcher.run("check", url=url)
    assert checked.wait(3600) == 0, checked.output
    report.count(seconds_of_the_check=round(time.monotonic() - began, 1))
    assert server.terminate() == 0


def _count(url: str) -> dict[str, int]:
    """The rows of each table. Rows of heartbeats and of kept answers come and go."""
    engine = open_engine(url)
    with engine.connect() as connection:
        counts = migrate.row_counts(connection)
    engine.dispose()
    return {name: count for name, count in counts.items() if name not in ("heartbeat", "idempotency")}
