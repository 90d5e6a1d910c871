"""The views for programs for analysis: what docs/exports.md says of them, and nothing of persons and texts."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import inspect, text

from complaints.domain.complaint.numbers import number_of
from complaints.domain.complaint.texts import TEXT_NAMES
from complaints.storage.rows.person import person
from tests.support import Scenario

PAGE = Path(__file__).parents[2] / "docs" / "exports.md"
_HEADING = re.compile(r"#### `(v1_[a-z]+)`")
_COLUMN = re.compile(r"\| `([a-z0-9_]+)` \|")
PERSON = {
    "name": "Zhuge Kongming",
    "phone": "+8613912345678",
    "email": "k@x.example",
    "account_no": "ACCT-77",
}
SECRETS = (
    "Zhuge",
    "13912345678",
    "k@x.example",
    "ACCT-77",
    "No signal",
    "Repaired",
    "cell-tower",
    "a-tag",
    "S-99",
)


def _documented() -> dict[str, list[str]]:
    """The columns of each view, as the page lists them."""
    found: dict[str, list[str]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := _HEADING.match(line):
            found[heading[1]] = columns = []
        elif found and (column := _COLUMN.match(line)):
            columns.append(column[1])
    return found


def test_the_page_has_every_view_with_its_columns(scenario: Scenario) -> None:
    looked_at = inspect(scenario.service.database.engine)
    views = {name: [c["name"] for c in looked_at.get_columns(name)] for name in looked_at.get_view_names()}
    assert views == _documented()
    assert len(views) == 8
    for columns in views.values():
        assert not TEXT_NAMES.intersection(columns)
        assert not {c.name for c in person.c if "id" not in c.name and c.name != "role"}.intersection(columns)


def _rows(scenario: Scenario, statement: str) -> list[Any]:
    with scenario.service.database.read() as tx:
        return list(tx.connection.execute(text(statement)).mappings())


def test_the_views_have_what_the_tables_have_but_no_persons_and_texts(scenario: Scenario) -> None:
    made = scenario.post(
        complainant=PERSON, tags=["a-tag"], attributes={"cell-tower": 1}, service={"type": "mobile", "id": "S-99"},
        description="No signal at all", priority="urgent", category="network.outage",
    )  # fmt: skip
    scenario.act(made, "respond", message="No signal, we look.", contact_channel="phone")
    scenario.act(
        made, "resolve", resolution="Repaired.", outcome="upheld", cause="technical", root_cause="Repaired."
    )
    other = scenario.post()
    scenario.advance(hours=60)
    shown = {name: _rows(scenario, f"SELECT * FROM {name}") for name in _documented()}
    assert not [secret for secret in SECRETS if secret in str(shown)]
    by_id = {UUID(str(row["id"])): row for row in shown["v1_complaint"]}
    assert by_id.keys() == {made.id, other.id}
    row = by_id[made.id]
    expected = ("resolved", "urgent", "network.outage", "upheld")
    assert tuple(row[name] for name in ("status", "priority", "category", "outcome")) == expected
    assert len(shown["v1_deadline"]) == 4
    assert {row["kind"] for row in shown["v1_escalation"]} >= {"first_response"}
    assert len(shown["v1_event"]) == max(row["sequence"] for row in shown["v1_event"])
    names = {row["code"]: (row["name_en"], row["name_zh"]) for row in shown["v1_team"]}
    assert all(names["operations"])


def test_the_number_of_a_view_is_the_number_of_the_complaint(scenario: Scenario) -> None:
    """Also of numbers that are longer than the first ones."""
    made = [scenario.post() for _ in range(5)]
    numbers = (7, 12_345_678, 99_999_999, 100_000_000, 123_456_789_012)
    with scenario.service.database.begin() as tx:
        tx.connection.execute(text("DELETE FROM complaint_search"))
        for complaint, number in zip(made, numbers, strict=True):
            tx.connection.execute(
                text("UPDATE complaint SET sequence = :new WHERE sequence = :old"),
                {"new": number, "old": complaint.sequence},
            )
    found = {row["number"] for row in _rows(scenario, "SELECT number FROM v1_complaint")}
    assert found == {number_of(number) for number in numbers}


@pytest.fixture
def own_url(migrated_database_url: Callable[[str], str]) -> Iterator[str]:
    """A database on PostgreSQL whose role is dropped at the end."""
    url = migrated_database_url("postgresql")
    yield url
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP OWNED BY analyst")
        connection.execute("DROP ROLE analyst")


def test_the_role_of_the_page_reads_views_and_nothing_else(own_url: str) -> None:
    """Its statements are run as they stand there."""
    [statements] = re.findall(r"```sql\n(CREATE ROLE.+?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    with psycopg.connect(own_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(statements.replace("DATABASE complaints", f'DATABASE "{name}"'))
        connection.execute("SET ROLE analyst")
        for view in _documented():
            connection.execute(f"SELECT count(*) FROM {view}")  # type: ignore[arg-type]
        for refused in (
            "SELECT * FROM complaint",
            "SELECT * FROM party",
            "DELETE FROM v1_team",
            "CREATE TABLE x ()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(refused)  # type: ignore[arg-type]
