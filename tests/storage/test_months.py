"""The months of the history: made, turned and detached on PostgreSQL, without any effect on the API."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from complaints.domain.complaint.facts import Complaint
from complaints.storage import months
from complaints.storage.months import Month
from complaints.storage.queries.audit import count_cut_off
from complaints.storage.rows import test_clock
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import AddNote
from complaints.use_cases.complaints import history as history_module
from complaints.use_cases.complaints import history as timeline
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.loops import do_chores, keep_months
from tests.support import Scenario, check_all, count_statements, opened_service


@pytest.fixture
def postgres(migrated_database_url: Callable[[str], str]) -> Iterator[Scenario]:
    """A scenario in its own PostgreSQL database, because emptying a database does not remove months."""
    with opened_service(migrated_database_url("postgresql")) as service:
        yield Scenario(service)


def find_months(scenario: Scenario) -> list[Month]:
    return list(scenario.service.read(months.find_months))


def month_after_last(scenario: Scenario) -> date:
    """The first day of the next month to make."""
    return months.month_after(_month_of(find_months(scenario)[-1]), 1)


def _month_of(month: Month) -> date:
    year, number = divmod(month.first // months.NUMBERS_A_MONTH, 100)
    return date(year, number, 1)


def set_clock(scenario: Scenario, day: date) -> None:
    at = datetime.combine(day, time(9), UTC)
    scenario.service.write(lambda tx: test_clock.set_sandbox_now(tx.connection, at))


def begin_next_month(scenario: Scenario) -> Month:
    """Set the clock to the second day of the next month, and run the scheduler once."""
    set_clock(scenario, month_after_last(scenario) + timedelta(days=1))
    keep_months(scenario.service)
    return find_months(scenario)[-1]


def ended(scenario: Scenario) -> Complaint:
    """A complaint with two events, to which time adds nothing."""
    return scenario.act(scenario.post(), "withdraw", reason="solved itself")


def note(scenario: Scenario, complaint: Complaint, said: str) -> timeline.EventRecord:
    return scenario.service.write(
        lambda tx: timeline.add_note(scenario.service, tx, SYSTEM, str(complaint.id), AddNote(text=said))
    )


def history(
    scenario: Scenario, complaint: Complaint, *, after: int = 0, limit: int = 1000
) -> list[timeline.EventRecord]:
    reference = str(complaint.id)
    return list(
        scenario.service.read(lambda tx: timeline.timeline(tx, SYSTEM, reference, after=after, limit=limit))
    )


def whole_feed(scenario: Scenario, *, limit: int = 3) -> list[int]:
    found: list[int] = []
    after, seen = 0, -1
    while after != seen:
        seen = after
        page, after = scenario.service.read(
            lambda tx, seen=seen: history_module.changes(tx, SYSTEM, after=seen, limit=limit)
        )
        found += [one.sequence for one in page]
    return found


def run(scenario: Scenario, statement: str, **bound: Any) -> Any:
    with scenario.service.database.begin() as tx:
        return tx.connection.execute(text(statement), bound)


def counted(scenario: Scenario, table: str) -> int:
    with scenario.service.database.read() as tx:
        return int(tx.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


# Months are made ---------------------------------------------------------------------------------------------------


def test_the_numbers_of_a_month_begin_with_it() -> None:
    assert months.first_number(date(2026, 11, 22)) == 202611_0000000000
    assert months.first_number(date(2999, 12, 31)) + months.NUMBERS_A_MONTH < 2**53


@pytest.mark.parametrize(
    ("months_on", "expected"),
    [(0, (2026, 11)), (1, (2026, 12)), (2, (2027, 1)), (-11, (2025, 12)), (14, (2028, 1))],
)
def test_months_are_counted_over_years(months_on: int, expected: tuple[int, int]) -> None:
    assert months.month_after(date(2026, 11, 22), months_on) == date(*expected, 1)


@pytest.mark.parametrize(
    ("number", "months_on", "last"),
    [
        (0, 2, 9999999999),
        (5_000_000, 2, 9999999999),
        (202611_0000000000, 0, 202611_9999999999),
        (202611_0000000007, 2, 202701_9999999999),
    ],
)
def test_the_end_of_a_month_further_on(number: int, months_on: int, last: int) -> None:
    assert months.end_of_month(number, months_on) == last + 1


def test_a_new_month_takes_what_is_written_from_then_on(postgres: Scenario) -> None:
    old = ended(postgres)
    before = history(postgres, old)
    made = begin_next_month(postgres)
    new = postgres.post()
    note(postgres, old, "in the new month")
    note(postgres, new, "soon after")

    assert [e.sequence for e in history(postgres, new)] == [made.first + 1, made.first + 3]
    assert history(postgres, old)[:-1] == before
    assert [e.sequence - made.first for e in history(postgres, old)[-1:]] == [2]
    assert [e.ordinal for e in history(postgres, old)] == [1, 2, 3]
    assert whole_feed(postgres) == [*(e.sequence for e in before), *(made.first + n for n in (1, 2, 3))]
    assert counted(postgres, made.name) == 3
    assert list(check_all(postgres.service)) == []


def test_the_chores_make_and_detach_the_months(postgres: Scenario) -> None:
    first, complaint = find_months(postgres)[0], ended(postgres)
    left = []
    for _ in range(2):
        set_clock(postgres, month_after_last(postgres))
        do_chores(postgres.service, postgres.now, history_months=1)
        left.append((len(find_months(postgres)), find_months(postgres)[0].lower))
    assert left == [(2, None), (2, first.upper)]
    assert history(postgres, complaint) == []


def test_a_month_is_made_once_and_has_every_key_of_the_one_before(postgres: Scenario) -> None:
    first, made = find_months(postgres)[0], begin_next_month(postgres)
    keep_months(postgres.service)
    assert find_months(postgres) == [first, made]
    with postgres.service.database.read() as tx:
        keys = text(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass(:name) ORDER BY 1"
        )
        of_first, of_made = (
            list(tx.connection.execute(keys, {"name": m.name}).scalars()) for m in (first, made)
        )
    assert of_first == of_made
    assert (
        _names_of_foreign_keys(postgres, first)
        == _names_of_foreign_keys(postgres, made)
        == ["fk_event__complaint_id", "fk_event__subject_id"]
    )
    assert {"PRIMARY KEY (sequence)", "UNIQUE (complaint_id, ordinal)"} < set(of_made)
    assert any(key.startswith("FOREIGN KEY (complaint_id) REFERENCES complaint") for key in of_made)


def _names_of_foreign_keys(scenario: Scenario, month: Month) -> list[str]:
    with scenario.service.database.read() as tx:
        named = text(
            "SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(:name) AND contype = 'f'"
        )
        return list(tx.connection.execute(named, {"name": month.name}).scalars())


def test_no_ordinal_is_taken_twice_in_a_month(postgres: Scenario) -> None:
    begin_next_month(postgres)
    postgres.post()
    columns = "id, complaint_id, ordinal, version, type, at, actor, data, digest"
    with pytest.raises(IntegrityError, match="complaint_id_ordinal"):
        run(postgres, f"INSERT INTO event ({columns}) SELECT {columns} FROM event")


def test_months_nobody_was_there_to_make_leave_no_gap(postgres: Scenario) -> None:
    """While the scheduler is down, events go to the last partition."""
    first, day = find_months(postgres)[0], months.month_after(month_after_last(postgres), 2)
    set_clock(postgres, day)
    meanwhile = postgres.post()
    keep_months(postgres.service)
    made = find_months(postgres)[-1]
    assert (made.lower, made.first) == (first.upper, months.first_number(day))
    assert counted(postgres, first.name) == len(history(postgres, meanwhile))
    assert history(postgres, postgres.post())[0].sequence == made.first + 1


def test_a_month_made_but_not_turned_waits_for_the_next_time(postgres: Scenario) -> None:
    """The scheduler is killed between making and turning. No event goes to the month before it is committed."""
    day = month_after_last(postgres)
    made = postgres.service.write(lambda tx: months.make_month(tx, day))
    assert made is not None
    assert history(postgres, postgres.post())[0].sequence < made.first
    assert postgres.service.write(months.turn_month)
    assert history(postgres, postgres.post())[0].sequence == made.first + 1
    assert not postgres.service.write(months.turn_month)


def test_numbers_never_go_back_with_a_clock(postgres: Scenario) -> None:
    made = begin_next_month(postgres)
    postgres.post()
    set_clock(postgres, _month_of(made) - timedelta(days=1))
    keep_months(postgres.service)
    assert find_months(postgres)[-1] == made
    assert history(postgres, postgres.post())[0].sequence > made.first
    assert whole_feed(postgres) == sorted(whole_feed(postgres))


def test_whoever_has_the_complaints_is_waited_for_only_shortly(postgres: Scenario) -> None:
    waiting = postgres.post()
    day = month_after_last(postgres)
    with postgres.service.database.begin() as tx:
        tx.connection.execute(text("UPDATE complaint SET subject = 'x' WHERE id = :id"), {"id": waiting.id})
        assert postgres.service.write(lambda other: months.make_month(other, day)) is None
    assert len(find_months(postgres)) == 1
    assert postgres.service.write(lambda tx: months.make_month(tx, day)) is not None


def test_months_made_by_many_while_everybody_writes(postgres: Scenario) -> None:
    complaints = [ended(postgres) for _ in range(4)]
    done = threading.Event()

    def write(complaint: Complaint) -> int:
        count = 0
        while not done.is_set():
            note(postgres, complaint, str(count))
            count += 1
        return count

    def see_to_months() -> None:
        keep_months(postgres.service)

    with ThreadPoolExecutor(8) as pool:
        writing = [pool.submit(write, complaint) for complaint in complaints]
        try:
            for _ in range(5):
                set_clock(postgres, month_after_last(postgres))
                wanted = len(find_months(postgres)) + 1
                while len(find_months(postgres)) < wanted:
                    for making in [pool.submit(see_to_months) for _ in range(4)]:
                        making.result(timeout=60)
        finally:
            done.set()
        written = [one.result(timeout=60) for one in writing]

    assert min(written) > 0
    made = find_months(postgres)
    assert [m.lower for m in made[1:]] == [m.upper for m in made[:-1]]
    assert all(counted(postgres, month.name) for month in made)
    numbers = whole_feed(postgres, limit=500)
    assert len(numbers) == counted(postgres, "event")
    assert numbers == sorted(set(numbers))
    assert [len(history(postgres, c)) - n for c, n in zip(complaints, written, strict=True)] == [2] * 4
    assert list(check_all(postgres.service)) == []


def test_on_each_engine_life_goes_on_over_months(scenario: Scenario) -> None:
    """SQLite has one table and no months."""
    complaint = scenario.post(severity="critical")
    for _ in range(3):
        scenario.advance(days=31)
        keep_months(scenario.service, history_months=1)
        note(scenario, complaint, "still there")
    events = history(scenario, complaint)
    assert [e.ordinal for e in events] == list(range(1, len(events) + 1))
    assert whole_feed(scenario) == [e.sequence for e in events]
    assert list(check_all(scenario.service)) == []


# Queries look only at the months they need ---------------------------------------------------------------------------


def test_no_event_is_numbered_before_its_complaint_expects_it(scenario: Scenario) -> None:
    for _ in range(3):
        note(scenario, scenario.post(), "more")
        if scenario.service.database.is_postgresql:
            begin_next_month(scenario)
    with scenario.service.database.read() as tx:
        early = "SELECT count(*) FROM event e JOIN complaint c ON c.id = complaint_id WHERE e.sequence <= events_after"
        assert tx.connection.execute(text(early)).scalar_one() == 0


def plans_of(scenario: Scenario, work: Callable[[], Any], asked_of: str) -> list[str]:
    """The plans of PostgreSQL for the statements that read `asked_of`."""
    with count_statements(scenario.service) as statements:
        work()
    with scenario.service.database.read() as tx:
        tx.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        return [
            "\n".join(tx.connection.exec_driver_sql(f"EXPLAIN {statement}", bound).scalars())
            for statement, bound in statements
            if asked_of in statement
        ]


def looked_at(scenario: Scenario, plan: str) -> list[int]:
    """The months that a plan reads, counted from 0."""
    return [n for n, month in enumerate(find_months(scenario)) if month.name in plan]


def test_a_timeline_is_looked_for_where_most_end(postgres: Scenario) -> None:
    postgres.post()
    begin_next_month(postgres)
    short, long = ended(postgres), ended(postgres)
    for _ in range(4):
        begin_next_month(postgres)
    note(postgres, long, "later")

    [plan] = plans_of(postgres, lambda: history(postgres, short), "event.ordinal >")
    assert looked_at(postgres, plan) == [1, 2, 3]
    assert "Seq Scan" not in plan
    first, rest = plans_of(postgres, lambda: history(postgres, long), "event.ordinal >")
    assert [looked_at(postgres, first), looked_at(postgres, rest)] == [[1, 2, 3], [4, 5]]
    assert [e.ordinal for e in history(postgres, long)] == [1, 2, 3]
    assert [e.ordinal for e in history(postgres, long, after=1, limit=1)] == [2]
    assert [e.ordinal for e in history(postgres, long, after=2)] == [3]
    assert history(postgres, long, after=3) == []


def test_a_reader_of_the_feed_looks_at_no_month_it_has_read(postgres: Scenario) -> None:
    for _ in range(3):
        postgres.post()
        after = begin_next_month(postgres).first
    postgres.post()
    for asked_of in ("ORDER BY event.sequence", "max(event.sequence)"):
        [plan] = plans_of(
            postgres,
            lambda: postgres.service.read(
                lambda tx: history_module.changes(tx, SYSTEM, after=after, limit=100)
            ),
            asked_of,
        )
        assert looked_at(postgres, plan) == [3]


# Months are detached -----------------------------------------------------------------------------------------------


def test_without_a_word_of_how_long_all_is_kept(postgres: Scenario) -> None:
    ended(postgres)
    for _ in range(3):
        begin_next_month(postgres)
    assert len(find_months(postgres)) == 4


def test_months_that_nobody_needs_are_detached(postgres: Scenario) -> None:
    first, gone = find_months(postgres)[0], ended(postgres)
    events = history(postgres, gone)
    for _ in range(3):
        begin_next_month(postgres)
    kept = ended(postgres)

    keep_months(postgres.service, history_months=2)

    assert first.name not in [m.name for m in find_months(postgres)]
    assert len(find_months(postgres)) == 3
    assert counted(postgres, first.name) == len(events)
    assert history(postgres, gone) == []
    assert [e.ordinal for e in history(postgres, kept)] == [1, 2]
    assert postgres.service.read(count_cut_off) == 1
    assert list(check_all(postgres.service)) == []

    run(
        postgres,
        f"ALTER TABLE event ATTACH PARTITION {first.name} FOR VALUES FROM (MINVALUE) TO ({first.upper})",
    )
    assert history(postgres, gone) == events
    assert postgres.service.read(count_cut_off) == 0


@pytest.mark.parametrize("needed", ["open", "ended lately"])
def test_a_complaint_that_has_not_ended_long_ago_keeps_its_months(postgres: Scenario, needed: str) -> None:
    first, complaint = find_months(postgres)[0], postgres.post()
    for _ in range(3):
        begin_next_month(postgres)
    if needed == "ended lately":
        postgres.act(complaint, "withdraw", reason="solved itself")
    keep_months(postgres.service, history_months=2)
    assert find_months(postgres)[0] == first
    assert history(postgres, complaint)[0].ordinal == 1


def test_the_rest_of_a_history_cut_off_is_still_proven(postgres: Scenario) -> None:
    complaint = ended(postgres)
    for _ in range(3):
        begin_next_month(postgres)
        note(postgres, complaint, "for the record")
    keep_months(postgres.service, history_months=2)
    assert [e.ordinal for e in history(postgres, complaint)] == [3, 4, 5]
    assert list(check_all(postgres.service)) == []

    run(postgres, "UPDATE event SET actor = 'user:nobody' WHERE ordinal = 4")
    assert {violation.invariant for violation in check_all(postgres.service)} == {"history unbroken"}


def test_a_first_event_gone_missing_is_no_month_detached(postgres: Scenario) -> None:
    """Only complaints that began in detached months are not proven."""
    ended(postgres)
    for _ in range(3):
        begin_next_month(postgres)
    ended(postgres)
    keep_months(postgres.service, history_months=2)
    run(postgres, "DELETE FROM event WHERE ordinal = 1")
    assert "history unbroken" in {violation.invariant for violation in check_all(postgres.service)}


@pytest.mark.parametrize("next_is_made", [False, True])
def test_the_month_of_the_last_number_is_never_detached(postgres: Scenario, next_is_made: bool) -> None:
    ended(postgres)
    first, day = find_months(postgres)[0], months.month_after(month_after_last(postgres), 12)
    set_clock(postgres, day)
    if next_is_made:
        postgres.service.write(lambda tx: months.make_month(tx, day))
    assert postgres.service.write(lambda tx: months.detach_month(tx, day)) is None
    assert find_months(postgres)[0] == first
    ended(postgres)
    assert counted(postgres, first.name) == 4


def test_a_strangers_partition_is_reported(service: Service) -> None:
    if not service.database.is_postgresql:
        assert service.read(months.find_months) == []
        return
    with service.database.begin() as tx:
        tx.connection.execute(text("CREATE TABLE event_other PARTITION OF event DEFAULT"))
        with pytest.raises(RuntimeError, match="event_other"):
            months.find_months(tx)
        tx.connection.rollback()
