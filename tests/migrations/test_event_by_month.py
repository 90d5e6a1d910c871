"""The migration to a history by month and back keeps all events of several months."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from complaints.domain.complaint.facts import Complaint
from complaints.storage import months
from complaints.storage.database import migrate
from complaints.storage.rows import test_clock
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints import history
from complaints.use_cases.upkeep.loops import keep_months
from tests.conftest import DATABASE_KINDS
from tests.support import Scenario, check_all, opened_service


@pytest.fixture(params=DATABASE_KINDS)
def filled_scenario(
    request: pytest.FixtureRequest, migrated_database_url: Callable[[str], str]
) -> Iterator[Scenario]:
    """Events of several months in its own database; on PostgreSQL with a partition for each month."""
    with opened_service(migrated_database_url(request.param)) as service:
        scenario = Scenario(service)
        for _ in range(3):
            scenario.act(scenario.post(tags=["vip"]), "withdraw", reason="solved itself")
            scenario.post(severity="critical")
            _come_to_next_month(scenario)
        yield scenario


def _come_to_next_month(scenario: Scenario) -> None:
    known = scenario.service.read(months.find_months)
    day = months.month_after(_month(known[-1].upper) if known else scenario.now().date(), 0 if known else 1)
    target = scenario.now().replace(year=day.year, month=day.month, day=2)
    scenario.service.write(lambda tx: test_clock.set_sandbox_now(tx.connection, target))
    keep_months(scenario.service)


def _month(upper: int) -> date:
    year, number = divmod(upper // months.NUMBERS_A_MONTH, 100)
    return date(year, number, 1)


def _rows(scenario: Scenario) -> list[Any]:
    """The events without the column that the first schemas do not have."""
    with scenario.service.database.read() as tx:
        rows = tx.connection.execute(text("SELECT * FROM event ORDER BY sequence")).mappings()
        return [{name: value for name, value in row.items() if name != "subject_id"} for row in rows]


def _kind(scenario: Scenario) -> str:
    """`p` for a partitioned table, `r` for a plain one."""
    with scenario.service.database.read() as tx:
        return str(
            tx.connection.execute(
                text("SELECT relkind::text FROM pg_class WHERE relname = 'event'")
            ).scalar_one()
        )


def _all_is_well(scenario: Scenario) -> bool:
    """New events are found and numbered after the old ones, and every invariant holds."""
    last = max(row["sequence"] for row in _rows(scenario))
    complaint: Complaint = scenario.act(scenario.post(), "withdraw", reason="solved itself")
    found, after = scenario.service.read(lambda tx: history.changes(tx, SYSTEM, after=last, limit=10))
    own = [one.ordinal for one in found if one.complaint_id == complaint.id]
    broken = {one.invariant for one in check_all(scenario.service)} - {"deadlines in time"}
    return own == [1, 2] and after == found[1].sequence == found[0].sequence + 1 > last and not broken


def test_down_to_one_table_and_up_to_months_again(filled_scenario: Scenario) -> None:
    engine, rows = filled_scenario.service.database.engine, _rows(filled_scenario)
    assert len(rows) > 8
    postgres = filled_scenario.service.database.is_postgresql
    assert len(filled_scenario.service.read(months.find_months)) == (4 if postgres else 0)

    migrate.downgrade(engine, "0001")
    assert _rows(filled_scenario) == rows
    assert "events_after" not in {column["name"] for column in sa.inspect(engine).get_columns("complaint")}
    assert not [name for name in sa.inspect(engine).get_table_names() if name.startswith("event_2")]
    if postgres:
        assert _kind(filled_scenario) == "r"
        keys = sa.inspect(engine).get_unique_constraints("event")
        assert [key["column_names"] for key in keys] == [["complaint_id", "ordinal"]]

    migrate.upgrade(engine)
    assert _rows(filled_scenario) == rows
    assert _all_is_well(filled_scenario)
    if postgres:
        assert _kind(filled_scenario) == "p"
        [month] = filled_scenario.service.read(months.find_months)
        assert month.lower is None


@pytest.mark.parametrize("filled_scenario", ["postgresql"], indirect=True)
def test_months_go_on_after_the_data_there_was(filled_scenario: Scenario) -> None:
    engine = filled_scenario.service.database.engine
    with filled_scenario.service.database.begin() as tx:  # small numbers, as before the history had months
        renumbered = "WITH n AS (SELECT id, row_number() OVER (ORDER BY sequence) AS k FROM event)"
        tx.connection.execute(text(f"{renumbered} UPDATE event e SET sequence = k FROM n WHERE n.id = e.id"))
        tx.connection.execute(text("SELECT setval('event_sequence_seq', (SELECT max(sequence) FROM event))"))
    migrate.downgrade(engine, "0001")
    rows = _rows(filled_scenario)
    migrate.upgrade(engine)
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))

    _come_to_next_month(filled_scenario)
    first, made = filled_scenario.service.read(months.find_months)
    assert made.lower == first.upper
    filled_scenario.post()
    assert [row["sequence"] for row in _rows(filled_scenario)] == [row["sequence"] for row in rows] + [
        made.first + 1
    ]


@pytest.mark.parametrize("filled_scenario", ["postgresql"], indirect=True)
def test_going_down_brings_back_what_was_detached(filled_scenario: Scenario) -> None:
    rows = _rows(filled_scenario)
    with filled_scenario.service.database.begin() as tx:
        month = months.find_months(tx)[0]
        tx.connection.execute(text(f"ALTER TABLE event DETACH PARTITION {month.name}"))
    assert len(_rows(filled_scenario)) < len(rows)
    migrate.downgrade(filled_scenario.service.database.engine, "0001")
    assert _rows(filled_scenario) == rows


def test_a_program_of_before_writes_on(filled_scenario: Scenario) -> None:
    """Old code does not know `events_after`. Its events are still found."""
    columns = [
        c["name"] for c in sa.inspect(filled_scenario.service.database.engine).get_columns("complaint")
    ]
    known = ", ".join(name for name in columns if name != "events_after")
    event_columns = "complaint_id, ordinal, version, type, at, actor, data, digest, id"
    with filled_scenario.service.database.begin() as tx:
        copied = known.replace("id,", ":id,", 1).replace(" sequence,", " 99999,")
        new_id = filled_scenario.service.new_id()
        bound = {"id": new_id if filled_scenario.service.database.is_postgresql else new_id.hex}
        only = "WHERE sequence = 1"
        tx.connection.execute(
            text(f"INSERT INTO complaint ({known}) SELECT {copied} FROM complaint {only}"), bound
        )
        of_first = "complaint_id = (SELECT id FROM complaint WHERE sequence = 1)"
        own = event_columns.replace("complaint_id", ":id", 1)
        tx.connection.execute(
            text(
                f"INSERT INTO event ({event_columns}) SELECT {own} FROM event WHERE {of_first} ORDER BY ordinal"
            ),
            bound,
        )
    broken = {(one.number, one.invariant) for one in check_all(filled_scenario.service)}
    assert not [number for number, invariant in broken if invariant == "history unbroken"]


@pytest.mark.parametrize("filled_scenario", ["postgresql"], indirect=True)
def test_an_ordinal_taken_twice_is_refused_on_the_way_down(filled_scenario: Scenario) -> None:
    """Months cannot refuse an ordinal that another month has; the single table refuses it."""
    columns = "id, complaint_id, ordinal, version, type, at, actor, data, digest"
    with filled_scenario.service.database.begin() as tx:
        tx.connection.execute(
            text(f"INSERT INTO event ({columns}) SELECT {columns} FROM event ORDER BY sequence LIMIT 1")
        )
    assert "history unbroken" in {one.invariant for one in check_all(filled_scenario.service)}
    with pytest.raises(IntegrityError, match="uq_event__complaint_id_ordinal"):
        migrate.downgrade(filled_scenario.service.database.engine, "0001")
    assert _kind(filled_scenario) == "p"
