"""A follower sees every event once and in order, together with its own rows; and months wait for it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from uuid import UUID

import pytest
from sqlalchemy import text

from complaints.api.feature import Annexes
from complaints.domain.complaint.facts import Complaint
from complaints.storage import months
from complaints.storage.rows import follower, test_clock
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import AddNote
from complaints.use_cases.complaints import history
from complaints.use_cases.complaints.history import EventRecord
from complaints.use_cases.following import follow
from complaints.use_cases.service import Service, Transaction
from complaints.use_cases.upkeep.loops import keep_months
from tests.features.category_counts import tables, use_cases
from tests.features.category_counts.rules import count_received
from tests.features.conftest import make_tables, url_with_counts
from tests.features.test_feature import find_breaches
from tests.support import Scenario, count_statements, opened_service

database_url = url_with_counts


def whole_feed(service: Service) -> list[EventRecord]:
    """Every event of the history, in commit order."""
    events, after = service.read(lambda tx: history.changes(tx, SYSTEM, after=0, limit=1_000_000))
    assert not events or after == events[-1].sequence
    return list(events)


def assert_counted_exactly(service: Service) -> int:
    """The rows of the annex are what the whole feed adds up to; how many events that is."""
    feed = whole_feed(service)
    assert list(service.read(tables.find_events)) == [event.id for event in feed]
    assert service.read(tables.find_counts) == dict(count_received(feed))
    return len(feed)


def find_after(service: Service, name: str = use_cases.NAME) -> int | None:
    return service.read(lambda tx: follower.find_after(tx, name))


# What a follower sees ----------------------------------------------------------------------------------------------


def test_a_follower_goes_on_after_what_it_handled(scenario: Scenario) -> None:
    service = scenario.service
    for _ in range(5):
        scenario.post()
    assert [use_cases.count_next(service, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert assert_counted_exactly(service) == 5
    scenario.act(scenario.post(), "withdraw", reason="solved itself")
    assert [use_cases.count_next(service, limit=100) for _ in range(2)] == [2, 0]
    assert assert_counted_exactly(service) == 7
    assert find_after(service) == whole_feed(service)[-1].sequence


def test_a_follower_without_use_passes_over_the_events(scenario: Scenario) -> None:
    service, seen = scenario.service, []

    def read(*, has_use: bool) -> int:
        see = lambda _tx, events: seen.extend(event.sequence for event in events)  # noqa: E731
        return follow(service, "idle", see, limit=lambda _tx: int(has_use), from_now=True)

    assert read(has_use=True) == 0
    for _ in range(3):
        scenario.post()
    assert (read(has_use=False), seen) == (0, [])
    assert find_after(service, "idle") == whole_feed(service)[-1].sequence
    scenario.post()
    assert (read(has_use=True), read(has_use=False)) == (1, 0)
    assert seen == [whole_feed(service)[-1].sequence]


def test_a_new_follower_starts_at_the_beginning_or_now(scenario: Scenario) -> None:
    """The row decides, once it is made."""
    service, seen = scenario.service, []

    def see(_tx: Transaction, events: Sequence[EventRecord]) -> None:
        seen.extend(event.id for event in events)

    scenario.post()
    assert follow(service, "late", see, limit=10, from_now=True) == 0
    assert find_after(service, "late") == whole_feed(service)[-1].sequence
    scenario.post()
    assert follow(service, "late", see, limit=10) == 1
    assert seen == [whole_feed(service)[-1].id]
    assert follow(service, "early", see, limit=10) == 2


def test_followers_do_not_know_each_other(scenario: Scenario) -> None:
    scenario.post()
    seen: list[UUID] = []
    assert (
        follow(scenario.service, "other", lambda _tx, events: seen.extend(e.id for e in events), limit=9) == 1
    )
    assert use_cases.count_next(scenario.service, limit=9) == 1
    assert_counted_exactly(scenario.service)


def test_what_fails_is_rolled_back_and_comes_again(scenario: Scenario) -> None:
    service = scenario.service
    for _ in range(3):
        scenario.post()
    use_cases.count_next(service, limit=1)
    before = find_after(service)

    def fail(tx: Transaction, events: Sequence[EventRecord]) -> None:
        use_cases.count_events(tx, events)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        follow(service, use_cases.NAME, fail, limit=10)
    assert find_after(service) == before
    assert use_cases.count_next(service, limit=10) == 2
    assert_counted_exactly(service)


def test_an_idle_follower_writes_nothing(scenario: Scenario) -> None:
    """On SQLite a write transaction would make every other writer wait."""
    scenario.post()
    use_cases.count_next(scenario.service, limit=10)
    with count_statements(scenario.service) as executed:
        assert use_cases.count_next(scenario.service, limit=10) == 0
    assert executed
    assert {statement for statement, _ in executed if not statement.startswith("SELECT")} <= {"BEGIN"}


def test_intake_knows_nothing_of_followers(scenario: Scenario) -> None:
    use_cases.count_next(scenario.service, limit=10)
    with count_statements(scenario.service) as executed:
        scenario.act(scenario.post(), "withdraw", reason="solved itself")
    assert executed
    assert not [statement for statement, _ in executed if "follower" in statement]


# Many at once ------------------------------------------------------------------------------------------------------


@pytest.fixture
def postgres(migrated_database_url: Callable[[str], str]) -> Iterator[Service]:
    """The service on PostgreSQL: SQLite has one writer, and so one order."""
    with opened_service(make_tables(migrated_database_url("postgresql"))) as service:
        yield service


def test_while_a_process_handles_events_another_does_not_wait(postgres: Service) -> None:
    scenario = Scenario(postgres)
    scenario.post()
    entered, leave = threading.Event(), threading.Event()

    def slow(tx: Transaction, events: Sequence[EventRecord]) -> None:
        entered.set()
        assert leave.wait(20)
        use_cases.count_events(tx, events)

    use_cases.count_next(postgres, limit=1)
    scenario.post()
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(follow, postgres, use_cases.NAME, slow, limit=10)
        assert entered.wait(20)
        begun = time.monotonic()
        assert use_cases.count_next(postgres, limit=10) == 0
        assert time.monotonic() - begun < 2
        leave.set()
        assert working.result(timeout=20) == 1
    assert_counted_exactly(postgres)


def test_new_followers_at_once_make_one_row(scenario: Scenario) -> None:
    for _ in range(4):
        scenario.post()
    gate = threading.Barrier(4)

    def begin(_number: int) -> int:
        gate.wait()
        return use_cases.count_next(scenario.service, limit=10)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(begin, range(4))) == 4
    assert_counted_exactly(scenario.service)


def write_at_its_own_pace(service: Service, complaint: Complaint, n: int) -> None:
    """Twelve notes in as many transactions: some have their number long before they commit."""
    for k in range(12):

        def work(tx: Transaction, k: int = k) -> None:
            time.sleep((n * 7 + k * 3) % 5 / 1000)
            history.add_note(service, tx, SYSTEM, str(complaint.id), AddNote(text=f"{n}/{k}"))
            time.sleep((n * 3 + k * 5) % 17 / 1000)

        service.write(work)


def test_writers_that_commit_out_of_order_leave_no_gap(postgres: Service) -> None:
    scenario = Scenario(postgres)
    complaints = [scenario.post(category="network.outage") for _ in range(8)]
    finished = threading.Event()

    def count() -> None:
        while not finished.is_set():
            use_cases.count_next(postgres, limit=3)

    with ThreadPoolExecutor(11) as pool:
        counting = [pool.submit(count) for _ in range(3)]
        for writing in [
            pool.submit(write_at_its_own_pace, postgres, one, n) for n, one in enumerate(complaints)
        ]:
            writing.result(timeout=60)
        finished.set()
        for one in counting:
            one.result(timeout=60)
    while use_cases.count_next(postgres, limit=100):
        pass

    assert assert_counted_exactly(postgres) == 8 + 8 * 12


# Months and the check ----------------------------------------------------------------------------------------------


def come_to(scenario: Scenario, *, months_on: int, history_months: int | None = None) -> None:
    """Move the clock so many months after the last month of the history, and run the chores of the months."""
    upper = scenario.service.read(months.find_months)[-1].upper
    year, number = divmod(upper // months.NUMBERS_A_MONTH, 100)
    day = months.month_after(date(year, number, 1), months_on - 1)
    at = datetime.combine(day, time_of_day(9), UTC)
    scenario.service.write(lambda tx: test_clock.set_sandbox_now(tx.connection, at))
    keep_months(scenario.service, history_months=history_months)


def test_a_month_is_kept_until_its_followers_are_past_it(
    postgres: Service, caplog: pytest.LogCaptureFixture
) -> None:
    scenario = Scenario(postgres)
    scenario.act(scenario.post(), "withdraw", reason="solved itself")
    first = postgres.read(months.find_months)[0]
    use_cases.count_next(postgres, limit=1)  # of two events
    come_to(scenario, months_on=1)
    scenario.act(scenario.post(), "withdraw", reason="solved itself")

    caplog.set_level("INFO")
    come_to(scenario, months_on=2, history_months=1)
    assert postgres.read(months.find_months)[0] == first
    kept = [record for record in caplog.records if "kept for its followers" in record.message]
    assert [(record.month, record.followers) for record in kept] == [(first.name, [use_cases.NAME])]  # type: ignore[attr-defined]

    use_cases.count_next(postgres, limit=1)  # at the last event of the month: still in it
    keep_months(postgres, history_months=1)
    assert postgres.read(months.find_months)[0] == first

    while use_cases.count_next(postgres, limit=1):
        pass
    assert assert_counted_exactly(postgres) == 4
    keep_months(postgres, history_months=1)
    assert postgres.read(months.find_months)[0] != first


def test_the_cursor_may_stand_in_a_month_that_is_gone(postgres: Service, annexes: Annexes) -> None:
    """The last events of all may be detached; the numbers of a detached month are no numbers of the future."""
    scenario = Scenario(postgres)
    scenario.act(scenario.post(), "withdraw", reason="solved itself")
    come_to(scenario, months_on=1)
    come_to(scenario, months_on=2, history_months=1)
    assert whole_feed(postgres) == []
    postgres.write(lambda tx: follower.insert_follower(tx, use_cases.NAME, after=2))
    assert find_breaches(postgres, annexes) == []


def test_check_finds_a_cursor_after_the_last_event(scenario: Scenario, annexes: Annexes) -> None:
    scenario.post()
    use_cases.count_next(scenario.service, limit=10)
    assert find_breaches(scenario.service, annexes) == []
    last = whole_feed(scenario.service)[-1].sequence
    with scenario.service.database.begin() as tx:
        tx.connection.execute(text("UPDATE follower SET after = after + 1"))
    message = f"follower category_counts is at event {last + 1}, but the last event is {last}"
    assert find_breaches(scenario.service, annexes) == [("followers in history", message)]


def test_check_finds_a_follower_of_no_registered_annex(scenario: Scenario, annexes: Annexes) -> None:
    follow(scenario.service, "category_counts.second", lambda _tx, _events: None, limit=1)
    assert find_breaches(scenario.service, annexes) == []
    follow(scenario.service, "surveys", lambda _tx, _events: None, limit=1)
    found = find_breaches(scenario.service, annexes)
    assert [invariant for invariant, _ in found] == ["followers registered"]
    assert "follower surveys belongs to no registered annex" in found[0][1]
    assert "from event 0 on" in found[0][1]
