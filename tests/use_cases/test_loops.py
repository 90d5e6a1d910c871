"""The sweeper sleeps until the next wake, is hastened for a nearer one, and takes smaller batches after a failure."""

import time
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select, text

from complaints.api.feature import NO_ANNEXES
from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import Unavailable
from complaints.settings import Settings
from complaints.storage.queries import due_complaints
from complaints.storage.rows import heartbeat, idempotency
from complaints.storage.rows.idempotency import KeptAnswer
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import MakePromise
from complaints.use_cases.complaints import promises
from complaints.use_cases.service import Service, Transaction
from complaints.use_cases.upkeep import loops
from complaints.use_cases.upkeep.loops import Sweeper, do_chores
from complaints.use_cases.upkeep.sweep import BATCH, SweepResult, sweep_once
from complaints.wiring import build_loops, end_loops, start_loops, wall_now
from complaints.wiring import loops as wired_loops
from tests.support import Scenario, count_statements


def test_a_batch_that_is_too_much_is_tried_again_with_fewer(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database ends a transaction in which a busy process says nothing for 5 s."""
    tried: list[int] = []

    def overtaxed(service: Service, *, batch: int = BATCH) -> SweepResult:
        tried.append(batch)
        if batch > 10:
            raise Unavailable("The database ended it.")
        return sweep_once(service, batch=batch)

    monkeypatch.setattr(loops, "sweep_once", overtaxed)
    for _ in range(20):
        scenario.post()
    scenario.jump(hours=13)
    total: list[SweepResult] = []
    sweeper = Sweeper(scenario.service, "node", wall_now, total.append)

    for _ in range(12):
        try:
            sweeper.sweep_due()
        except Unavailable:
            continue

    assert tried[:4] == [500, 125, 31, 7]
    assert sum(swept.complaints for swept in total) == 20


def test_a_sweep_that_did_something_is_logged(scenario: Scenario, caplog: pytest.LogCaptureFixture) -> None:
    sweeper = Sweeper(scenario.service, "node", wall_now, lambda result: None)
    complaint = scenario.post()
    with caplog.at_level("INFO", logger="complaints"):
        sweeper.sweep_due()
        assert caplog.records == []
        scenario.jump(hours=25)
        sweeper.sweep_due()
    [record] = caplog.records
    said = {
        name: getattr(record, name)
        for name in ("complaints", "escalations", "reminders", "parked", "escalated")
    }
    escalations, reminders = said.pop("escalations"), said.pop("reminders")
    assert said == {"complaints": 1, "parked": 0, "escalated": [number_of(complaint.sequence)]}
    assert (escalations > 0, reminders > 0) == (True, True)


def promise_in(scenario: Scenario, *, seconds: float) -> None:
    """Make a promise on a new complaint that is due so soon."""
    complaint = scenario.post()
    command = MakePromise(text="We call back.", due_at=scenario.now() + timedelta(seconds=seconds))
    scenario.service.write(
        lambda tx: promises.make_promise(scenario.service, tx, SYSTEM, str(complaint.id), command)
    )


def test_a_sweeper_sleeps_until_the_next_wake_and_at_most_a_second(scenario: Scenario) -> None:
    sweeper = Sweeper(scenario.service, "node", wall_now, lambda result: None)
    assert sweeper.sweep_due() == 1.0  # nothing at all
    scenario.post()
    assert sweeper.sweep_due() == 1.0  # due in hours
    promise_in(scenario, seconds=0.4)
    assert sweeper.sweep_due() == pytest.approx(0.4, abs=0.001)


def test_a_complaint_that_another_process_holds_is_looked_for_again_soon(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "sweep_once", lambda service, *, batch: SweepResult())
    scenario.post()
    scenario.jump(hours=13)
    assert Sweeper(scenario.service, "node", wall_now, lambda result: None).sweep_due() == 0.2


def test_a_commit_hastens_the_sweep_only_for_a_wake_within_a_second(scenario: Scenario) -> None:
    hastened: list[tuple[str, float]] = []
    scenario.service.database.hasten = lambda loop, seconds: hastened.append((loop, seconds))
    scenario.post()
    promise_in(scenario, seconds=60)
    assert hastened == []
    promise_in(scenario, seconds=0.5)
    [(loop, seconds)] = hastened
    assert loop == "sweep"
    assert 0.3 < seconds <= 0.5


def test_the_time_until_the_commit_counts(scenario: Scenario) -> None:
    hastened: list[float] = []
    scenario.service.database.hasten = lambda loop, seconds: hastened.append(seconds)
    with scenario.service.database.begin() as tx:
        tx.hasten("sweep", tx.now + timedelta(seconds=2))
        time.sleep(0.3)
    assert 1.0 < hastened[0] <= 1.7


def test_a_transaction_that_fails_hastens_nothing(scenario: Scenario) -> None:
    hastened: list[str] = []
    scenario.service.database.hasten = lambda loop, seconds: hastened.append(loop)

    def fail(tx: Transaction) -> None:
        tx.hasten("sweep", tx.now)
        raise RuntimeError("taken back")

    with pytest.raises(RuntimeError):
        scenario.service.write(fail)
    assert hastened == []


def test_a_sweeper_gathers_complaints_that_fall_due_one_after_the_other(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "sweep_once", lambda service, *, batch: sweep_once(service, batch=1))
    for _ in range(3):
        scenario.post()
    scenario.jump(hours=13)
    sweeper = Sweeper(scenario.service, "node", wall_now, lambda result: None)
    assert [sweeper.sweep_due() for _ in range(4)] == [0.05, 0.05, 1.0, 1.0]


# Chores -----------------------------------------------------------------------------------------------------


def _old_answers(scenario: Scenario, count: int) -> None:
    answer = KeptAnswer(b"d" * 32, 201, {}, b"{}")
    named = {("scope", f"key-{n}"): answer for n in range(count)}
    scenario.service.write(lambda tx: idempotency.keep_answers(tx, named))


def _kept(scenario: Scenario) -> list[str]:
    statement = select(idempotency.idempotency.c.key).order_by("key")
    return list(scenario.service.read(lambda tx: tx.connection.execute(statement).scalars().all()))


def test_a_chore_that_fails_is_logged_and_the_others_are_done(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    parked = scenario.post()
    scenario.service.write(lambda tx: due_complaints.park(tx, [parked.id]))
    _old_answers(scenario, 1)
    scenario.jump(hours=49)

    def fail(*_: object, **__: object) -> None:
        raise Unavailable("The database ended it.")

    monkeypatch.setattr(loops, "keep_months", fail)
    do_chores(scenario.service, wall_now)

    assert scenario.service.read(due_complaints.count_parked) == 0
    assert _kept(scenario) == []
    assert [record.__dict__.get("chore") for record in caplog.records if record.exc_info] == ["keep months"]


def test_chores_work_in_batches_and_leave_what_is_locked(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "CHORE_BATCH", 2)
    _old_answers(scenario, 5)
    parked = [scenario.post().id for _ in range(3)]
    scenario.service.write(lambda tx: due_complaints.park(tx, parked))
    scenario.jump(hours=49)
    with scenario.service.database.engine.connect() as other, count_statements(scenario.service) as executed:
        if scenario.service.database.is_postgresql:
            other.execute(text("SELECT key FROM idempotency WHERE key = 'key-1' FOR UPDATE"))
            other.execute(text("SELECT id FROM complaint WHERE id = :id FOR UPDATE"), {"id": parked[0]})
        do_chores(scenario.service, wall_now)
    locked = scenario.service.database.is_postgresql
    assert _kept(scenario) == (["key-1"] if locked else [])
    assert scenario.service.read(due_complaints.count_parked) == (1 if locked else 0)
    deletes = [bound for statement, bound in executed if statement.startswith("DELETE FROM idempotency")]
    assert len(deletes) == (2 if locked else 3)


def test_a_process_sweeps_as_soon_as_it_starts(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first sweep makes it ready, and takes the steps that fell due while no process ran."""
    monkeypatch.setattr(wired_loops, "LONGEST_SLEEP_SECONDS", 3600.0)
    built = build_loops(service, CollectorRegistry(), Settings(), NO_ANNEXES)
    start_loops(built)
    try:
        end = time.monotonic() + 30
        while not service.read(heartbeat.find_beats):
            assert time.monotonic() < end
            time.sleep(0.01)
    finally:
        end_loops(service, built)
