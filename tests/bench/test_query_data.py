"""The data of the query rows is as sound as what the engine makes, on both engines; and the rows run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from benchmarks import run as run_module
from benchmarks.data.dataset import Shares, make_dataset
from benchmarks.data.texts import WORDS
from benchmarks.measures import queries
from complaints import wiring
from complaints.domain.complaint.numbers import number_of
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database, Transaction
from complaints.storage.queries.complaint_filters import Order, SortKey
from complaints.storage.rows.complaint import complaint
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints import lists
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.service import Service
from tests.support import check_all

NEWEST = Order(SortKey.RECEIVED_AT, descending=True)


def _teams(tx: Transaction) -> dict[str, int]:
    statement = select(complaint.c.team, func.count()).group_by(complaint.c.team)
    return dict(tx.connection.execute(statement).all())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_made_complaints_are_as_sound_as_real_ones(
    empty_database_url: Callable[[str], str], kind: str
) -> None:
    url = empty_database_url(kind)
    make_dataset(url, Shares(600, 100), samples=28, processes=2)
    service = Service(Database(open_engine(url), wiring.wall_clock), wiring.new_id)

    teams = service.read(_teams)
    found, _ = service.read(
        lambda tx: lists.list_complaints(
            service, tx, SYSTEM, ComplaintFilter(q=WORDS["zh_frequent"]), NEWEST, after=None, limit=10
        )
    )
    late = service.read(lambda tx: lists.summarise_due(service, tx, SYSTEM, lists.AGES[2]))
    violations = list(check_all(service))
    service.database.engine.dispose()

    assert violations == []
    assert sum(teams.values()) == 600
    assert max(teams.values()) > 100
    assert 70 <= late.overdue.total <= 140
    assert len(found) == 10
    assert all(WORDS["zh_frequent"] in str(one.members["description"]) for one in found)


def test_of_sparse_complaints_only_the_open_ones_have_a_history(
    empty_database_url: Callable[[str], str],
) -> None:
    url = empty_database_url("sqlite")
    make_dataset(url, Shares(600, 100, sparse=True), samples=28)
    service = Service(Database(open_engine(url), wiring.wall_clock), wiring.new_id)

    late = service.read(lambda tx: lists.summarise_due(service, tx, SYSTEM, lists.AGES[2]))
    wrong = {violation.number for violation in check_all(service)}
    with service.database.engine.connect() as connection:
        ended = select(complaint.c.sequence).where(
            complaint.c.ended_at.is_not(None), complaint.c.sequence > 28
        )
        without = {number_of(one) for one in connection.scalars(ended)}
    service.database.engine.dispose()

    assert 70 <= late.overdue.total <= 140
    assert len(without) > 400
    assert wrong == without


def _run(*arguments: str) -> Any:
    return CliRunner().invoke(run_module.app, [*arguments])


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize(
    "names",
    [
        (
            "overdue-page",
            "overdue-summary",
            "history-flat",
            "overdue-flat-10m",
            "check",
            "simulate",
            "export-xlsx",
        ),
        ("overdue-flat-sqlite", "search-sqlite", "check-sqlite", "overdue-scoped-sqlite"),
    ],
    ids=["postgresql", "sqlite"],
)
def test_a_query_row_measures_and_keeps_its_result(
    empty_database_url: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: tuple[str, ...],
) -> None:
    """Those of one engine in one invocation, which makes their complaints once."""
    monkeypatch.setattr(run_module, "RESULTS", tmp_path)
    monkeypatch.setattr(queries, "_WARM_UP", 2)  # nobody looks at how fast it was
    sizes = ["--set=complaints=400", "--set=requests=5", "--set=baseline=300"]

    done = _run(*names, "--postgres", empty_database_url("postgresql"), "--runs=1", *sizes)

    assert done.exit_code == 0, done.output
    assert sorted(path.stem for path in tmp_path.glob("*.json")) == sorted(names)
    for name in names:
        result = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
        assert result["product"] > 0
        if name.startswith(("check", "simulate", "export")):
            assert result["cost"]["value"] >= (not name.startswith("export"))
            continue
        assert result["limit"] > 0
        assert all(one["p95_ms"] > 0 for one in result["runs"][0]["details"].values())
