"""Fixtures of the fault tests, and their report. `--faults short` is for every change, `long` for a release."""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

from complaints.settings import Settings
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.service import Service, keep_configuration
from complaints.wiring import migrate_and_seed, new_id, wall_clock, wall_now
from tests.faults.fleet import Fleet, run_fleet
from tests.faults.journal import Journal
from tests.faults.report import render, write_report
from tests.features.reviews.feature import KIND
from tests.fork_client import ForkServer
from tests.postgres_server import FallibleServer, PostgresUnavailable, fallible
from tests.support import ADMIN_SECRET

T = TypeVar("T")
_RECORDED = "fault"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption("--faults", choices=("short", "long"), default="short", help="how much is done")
    group.addoption("--faults-report", metavar="FILE", help="where the report is written, as JSON")


@dataclass(frozen=True)
class Size:
    """How much a scenario does."""

    long: bool

    def pick(self, short: T, long: T) -> T:
        """The number for this size."""
        return long if self.long else short


@pytest.fixture(scope="session")
def size(pytestconfig: pytest.Config) -> Size:
    """How much is done."""
    return Size(pytestconfig.getoption("--faults") == "long")


# Databases -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres() -> Iterator[FallibleServer]:
    """A durable PostgreSQL of this process alone, which tests may kill."""
    try:
        with fallible() as server:
            yield server
    except PostgresUnavailable as failure:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no PostgreSQL: {failure}")


def migrated(url: str) -> str:
    """Migrate and seed the empty database at `url`, which uses the wall clock; its URL."""
    service, *_ = migrate_and_seed(Settings(database_url=url, bootstrap_api_key=ADMIN_SECRET))
    service.database.engine.dispose()
    return url


def database_of(server_url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def template(postgres: FallibleServer) -> str:
    """A migrated database to copy."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_of_faults TEMPLATE template0")
    migrated(database_of(postgres.url, "template_of_faults"))
    return "template_of_faults"


@pytest.fixture
def postgres_url(postgres: FallibleServer, template: str) -> Iterator[str]:
    """A migrated and seeded database on the durable PostgreSQL."""
    name = f"faults_{uuid4().hex[:12]}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield database_of(postgres.url, name)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A migrated and seeded embedded database."""
    return migrated(f"sqlite:///{tmp_path / 'complaints.db'}")


@contextmanager
def opened(url: str) -> Iterator[Service]:
    """The engine on a database, with the right time and with the fixture annex, as the processes have it."""
    database = Database(open_engine(url), wall_clock)
    try:
        yield Service(database, new_id, keep_configuration({KIND.name: KIND}), wall=wall_now)
    finally:
        database.engine.dispose()


# Processes -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def start_fleet(fork_server: ForkServer, tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """`with start_fleet(url) as fleet` runs a fleet on that database. Its output goes to the test's directory."""

    @contextmanager
    def _start(url: str) -> Iterator[Fleet]:
        with run_fleet(fork_server, url, tmp_path / f"fleet-{uuid4().hex[:6]}") as fleet:
            yield fleet

    return _start  # type: ignore[return-value]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """The record of the clients."""
    made = Journal(tmp_path / "journal.ndjson")
    yield made
    made.close()


# The report ----------------------------------------------------------------------------------------------------------


@dataclass
class ScenarioReport:
    """The report of one scenario: its fault in words, and its counts."""

    fault: str = ""
    counts: dict[str, int | float] = field(default_factory=dict)

    def count(self, **counts: float) -> None:
        """Add counts to the report; `_` in names becomes a space."""
        self.counts.update({name.replace("_", " "): value for name, value in counts.items()})

    def progress(self, done: int, of: int) -> None:
        """Print from time to time how far a long scenario is; visible with `-s`."""
        if done % 50 == 0:
            sys.stdout.write(f"  {self.fault}: {done} of {of}\n")
            sys.stdout.flush()


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Iterator[ScenarioReport]:
    """The report of the scenario."""
    made = ScenarioReport()
    yield made
    record_property(_RECORDED, {"fault": made.fault, "counts": made.counts})


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the report, and write it to the file that the command line names."""
    scenarios = list(_scenarios(terminalreporter))
    if not scenarios:
        return
    about = {
        "form": config.getoption("--faults"),
        "date": wall_now().date().isoformat(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "seconds": round(time.perf_counter() - _STARTED_AT, 1),
    }
    terminalreporter.write_line("")
    terminalreporter.write_line(render({**about, "scenarios": scenarios}))
    if path := config.getoption("--faults-report"):
        write_report(Path(path), scenarios, about=about)
        terminalreporter.write_line(f"\nThe report is in {path}.")


_STARTED_AT = time.perf_counter()


def _scenarios(terminalreporter: Any) -> Iterator[dict[str, Any]]:
    ended = [
        report
        for outcome in ("passed", "failed", "skipped")
        for report in terminalreporter.stats.get(outcome, [])
    ]
    seconds = {report.nodeid: report.duration for report in ended if report.when == "call"}
    results = {"failed": "FAILED", "skipped": "skipped"}
    outcomes = {
        r.nodeid: outcome for name, outcome in results.items() for r in terminalreporter.stats.get(name, [])
    }
    for report in terminalreporter.stats.get("", []) + ended:
        found = dict(report.user_properties).get(_RECORDED)
        if report.when == "teardown" and found and found["fault"]:
            outcome = outcomes.get(report.nodeid, "held")
            yield {**found, "seconds": round(seconds.get(report.nodeid, 0.0), 1), "outcome": outcome}
