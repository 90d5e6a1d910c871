"""An import is killed again and again, and the workers that help with it: nothing is missing, nothing doubled."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from complaints.storage.database.connections import open_engine
from complaints.storage.queries.audit import count_complaints
from complaints.storage.rows.complaint import complaint
from complaints.use_cases.service import Service
from tests.faults.conftest import ScenarioReport, Size, opened
from tests.faults.intake import MARK
from tests.journeys.running_server import Launcher
from tests.support import check_all

ROWS = 1000  # five chunks


@pytest.mark.parametrize("database_kind", ["postgresql", "sqlite"])
def test_a_killed_import(
    database_kind: str,
    request: pytest.FixtureRequest,
    start_fleet: Callable[[str], Any],
    tmp_path: Path,
    size: Size,
    report: ScenarioReport,
) -> None:
    report.fault = f"An import and the worker that helps with it killed half-way ({database_kind})"
    url = request.getfixturevalue("postgres_url" if database_kind == "postgresql" else "sqlite_url")
    rows, kills, dice = size.pick(1_500, 20_000), size.pick(2, 25), random.Random(5)
    file = tmp_path / "calls.ndjson"
    file.write_text("".join(json.dumps(_row(n)) + "\n" for n in range(rows)))
    with opened(url) as service, start_fleet(url) as fleet:
        member = fleet.add_import(file)
        worker = fleet.add_worker()
        half_way = 0
        while not member.done and fleet.kills < kills * 2:
            before = service.read(count_complaints)
            while not member.done and service.read(count_complaints) == before:
                time.sleep(0.005)
            time.sleep(dice.uniform(0, 0.1))
            half_way += 0 < service.read(count_complaints) < rows
            fleet.kill(member)
            fleet.kill(worker)
            time.sleep(0.1)
        deadline = time.monotonic() + 300
        while not member.done:
            assert time.monotonic() < deadline, "the import does not end"
            time.sleep(0.05)
        counts = Counter(_imported(service))
        report.count(kills=fleet.kills, kills_half_way=half_way, rows=rows, complaints=counts.total())
        assert half_way
        assert fleet.failures(allowed=["Unavailable"]) == []
        assert counts == Counter((n, f"Call {n % 50}") for n in range(rows))
        assert list(check_all(service)) == []


def _row(number: int) -> dict[str, Any]:
    return {"channel": "phone", "subject": f"Call {number % 50}", "attributes": {MARK: number}}


def _imported(service: Service) -> list[tuple[int, str]]:
    with service.database.read() as tx:
        rows = tx.connection.execute(select(complaint.c.attributes, complaint.c.subject))
        return [(row.attributes[MARK], row.subject) for row in rows]


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])
def test_an_import_killed_half_way_and_run_again_is_complete(
    database_kind: str, launcher: Launcher, empty_database_url: Callable[[str], str], tmp_path: Path
) -> None:
    url, file = empty_database_url(database_kind), tmp_path / "calls.jsonl"
    rows = [{"channel": "phone", "subject": f"Call {n % 50}", "tags": ["bulk"]} for n in range(ROWS)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert launcher.run("migrate", url=url).wait(60) == 0
    engine = open_engine(url)

    killed = launcher.run("import", str(file), url=url)
    until = time.monotonic() + 120
    while not _count(engine) and time.monotonic() < until:
        time.sleep(0.01)
    killed.kill()
    assert 0 < _count(engine) < ROWS

    again = launcher.run("import", str(file), url=url, is_new=True)
    assert again.wait(180) == 0, again.output
    assert _count(engine) == ROWS
    engine.dispose()
    proof = launcher.run("check", url=url)
    assert proof.wait(120) == 0, proof.output


def _count(engine: Engine) -> int:
    with engine.connect() as connection:
        if not engine.dialect.has_table(connection, "complaint"):
            return 0
        return connection.execute(text("SELECT count(*) FROM complaint")).scalar_one()
