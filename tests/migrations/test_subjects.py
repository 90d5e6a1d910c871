"""The migration that lets the tables of the history take subjects of every kind."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, text

from complaints.storage.database import migrate
from complaints.storage.database.connections import open_engine
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.service import keep_configuration
from complaints.use_cases.upkeep.checks import check_feed
from tests.features.reviews.feature import KIND, ask
from tests.support import Scenario, check_all

BEFORE = "0017"
TABLES = ("event", "event_text", "escalation", "deadline", "link")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, migrated_database_url: Callable[[str], str]) -> str:
    """A new database, because emptying a shared one would not undo a change of its schema."""
    return migrated_database_url(request.param)


def _shape(engine: Engine) -> dict[str, Any]:
    """The columns, and the names of all keys, indexes and CHECKs."""
    found, shape = sa.inspect(engine), {}
    for table in TABLES:
        named = [
            *found.get_indexes(table), *found.get_unique_constraints(table), *found.get_foreign_keys(table),
            *found.get_check_constraints(table), found.get_pk_constraint(table),
        ]  # fmt: skip
        columns = {(column["name"], column["nullable"]) for column in found.get_columns(table)}
        shape[table] = (columns, sorted(str(one["name"]) for one in named))
    return shape


def _rows(engine: Engine) -> dict[str, list[str]]:
    """All rows without the column that only the new schema has."""
    with engine.connect() as connection:
        found = {table: connection.execute(text(f"SELECT * FROM {table}")).mappings() for table in TABLES}
        return {
            table: sorted(
                str({name: row[name] for name in sorted(row) if "subject_id" not in name}) for row in rows
            )
            for table, rows in found.items()
        }


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_step_back_gives_the_schema_of_before(kind: str, empty_database_url: Callable[[str], str]) -> None:
    engine = open_engine(empty_database_url(kind))
    migrate.upgrade(engine, BEFORE)
    before = _shape(engine)
    migrate.upgrade(engine)
    after = _shape(engine)
    assert after != before
    migrate.downgrade(engine, BEFORE)
    assert _shape(engine) == before
    migrate.upgrade(engine)
    assert _shape(engine) == after
    engine.dispose()


def test_no_row_and_no_number_is_lost(scenario: Scenario) -> None:
    """On SQLite, the tables are copied."""
    first, second = (scenario.post(complainant={"account_no": "1"}) for _ in range(2))
    scenario.act(second, "merge", into=str(first.id))
    scenario.advance(hours=25)
    engine = scenario.service.database.engine
    rows, newest = _rows(engine), "(SELECT max(sequence) FROM event)"
    assert all(rows.values())
    migrate.downgrade(engine, BEFORE)
    assert _rows(engine) == rows
    with engine.begin() as connection:  # behind the program's back
        connection.execute(text(f"DELETE FROM event WHERE sequence = {newest}"))
    migrate.upgrade(engine)
    scenario.service.database.close()
    if engine.dialect.name == "sqlite":
        assert [one.invariant for one in check_feed(scenario.service)] == ["feed unbroken"]
    assert {one.invariant for one in check_all(scenario.service)} == {
        "history unbroken",
        "state is history",
        "steps recorded",
    }


def test_a_step_back_that_would_lose_another_subject_is_refused(scenario: Scenario) -> None:
    with_reviews = replace(scenario.service, cache=keep_configuration({KIND.name: KIND}))
    with_reviews.write(lambda tx: ask(with_reviews, tx, SYSTEM, since=tx.now))
    replace(scenario, service=with_reviews).advance(hours=25)
    engine = scenario.service.database.engine
    rows = _rows(engine)
    with pytest.raises(migrate.MigrationRefused, match="would lose rows"):
        migrate.downgrade(engine, BEFORE)
    assert _rows(engine) == rows
