"""The rules of deadlines, found by their number in domain §2, and the built-in kinds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from complaints.domain.complaint.facts import Deadline
from complaints.domain.errors import InvalidContent
from complaints.domain.policy.policy import Policy, TargetChoice
from complaints.domain.rules import deadlines
from complaints.domain.time.calendar_document import parse_calendar
from complaints.domain.time.working_time import Segment, Target, Unit
from complaints.domain.vocabulary import (
    ContactOutcome,
    DeadlineKind,
    DeadlineStatus,
    EventType,
    HoldReason,
    Priority,
    Status,
)
from complaints.use_cases.policy_document.document import from_document, to_document
from tests.domain.builders import (
    HANDBOOK,
    MOMENT,
    START,
    WORKING,
    Life,
    closable,
    days,
    followed_up,
    hours,
    in_status,
    local,
    with_rule,
    without_step_actions,
)

BREACHED, MET, MET_LATE = DeadlineStatus.BREACHED, DeadlineStatus.MET, DeadlineStatus.MET_LATE
RUNNING, PAUSED, CANCELLED = DeadlineStatus.RUNNING, DeadlineStatus.PAUSED, DeadlineStatus.CANCELLED
OFFICE = WORKING.calendars["office"]


def elapsed(amount: timedelta) -> Target:
    return Target(int(amount.total_seconds()), Unit.ELAPSED_SECONDS)


def targets(*choices: tuple[Priority | None, Target]) -> tuple[TargetChoice, ...]:
    return tuple(TargetChoice(target, priority=priority) for priority, target in choices)


def stricter(policy: Policy = HANDBOOK, *, version: int = 2) -> Policy:
    """The next version: 12 h to respond, 24 h to resolve, two follow-ups."""
    changed = with_rule(policy, DeadlineKind.FIRST_RESPONSE, targets=targets((None, elapsed(hours(12)))))
    changed = with_rule(changed, DeadlineKind.RESOLUTION, targets=targets((None, elapsed(hours(24)))))
    plan = (Target(7, Unit.CALENDAR_DAYS), Target(14, Unit.CALENDAR_DAYS))
    return replace(changed, version=version, follow_ups=dict.fromkeys(Priority, plan))


# Urgent complaints are resolved within 12 h.
PRESSING = with_rule(
    HANDBOOK,
    DeadlineKind.RESOLUTION,
    targets=targets((Priority.URGENT, elapsed(hours(12))), (None, elapsed(hours(48)))),
)


def on_hold(life: Life, reason: HoldReason = HoldReason.AWAITING_COMPLAINANT, **until: float) -> Life:
    return life.do("hold", reason=reason, until=life.now + timedelta(**until))


# The built-in policy ----------------------------------------------------------------------------------------


def test_built_in_receipt_starts_first_response_and_resolution() -> None:
    found = [(d.kind, d.cycle, d.status, d.started_at, d.due_at) for d in Life().complaint.deadlines]
    assert found == [
        (DeadlineKind.FIRST_RESPONSE, 1, RUNNING, START, START + hours(24)),
        (DeadlineKind.RESOLUTION, 1, RUNNING, START, START + hours(48)),
    ]


@pytest.mark.parametrize(
    ("priority", "due"),
    [
        (Priority.URGENT, ["2026-02-05 09:00", "2026-03-05 09:00", "2026-04-05 09:00"]),
        (Priority.HIGH, ["2026-02-05 09:00", "2026-03-05 09:00", "2026-04-05 09:00"]),
        (Priority.NORMAL, ["2026-02-05 09:00"]),
        (Priority.LOW, ["2026-02-05 09:00"]),
    ],
)
def test_built_in_follow_ups_and_closure_start_when_the_result_is_fed_back(
    priority: Priority, due: list[str]
) -> None:
    life = followed_up(priority=priority)
    follow_ups = life.deadlines("follow_up")
    assert [d.due_at for d in follow_ups] == [local(text) for text in due]
    assert [(d.sequence, d.attempt) for d in follow_ups] == [(n + 1, 1) for n in range(len(due))]
    assert life.deadline("closure").due_at == local(due[-1]) + days(7)
    assert {d.started_at for d in life.complaint.deadlines if d.kind in ("follow_up", "closure")} == {START}


def test_built_in_a_promise_is_due_when_promised() -> None:
    life = Life().jump(hours=1)
    life.promise(START + hours(9)).promise(START + hours(5))
    found = [(d.sequence, d.started_at, d.due_at, d.target) for d in life.deadlines("promise")]
    assert found == [(1, life.now, START + hours(9), None), (2, life.now, START + hours(5), None)]


MET_BY = {
    "first_response": {"respond", "notify_result", "reject"},
    "resolution": {"notify_result", "reject"},
    "follow_up": {"record_contact"},
    "closure": {"close"},
    "promise": {"respond", "notify_result", "reject", "record_contact"},
}


@pytest.mark.parametrize("kind", MET_BY)
@pytest.mark.parametrize(
    "action",
    [
        "assign",
        "respond",
        "hold",
        "resolve",
        "notify_result",
        "record_contact",
        "close",
        "escalate",
        "reject",
    ],
)
def test_built_in_what_meets_which_clock(kind: str, action: str) -> None:
    status = {"notify_result": Status.RESOLVED, "record_contact": Status.FOLLOWING_UP}.get(
        action, Status.RECEIVED
    )
    if action == "close":
        life = closable()
    elif action == "hold":
        life = followed_up().do("reopen")
    else:
        life = in_status(status)
    if action == "record_contact":
        life.jump(to=life.deadline("follow_up").due_at - days(1))
    if kind == "promise" and action != "close":
        life.promise(life.now + days(1))
    unmet = [d.id for d in life.deadlines(kind) if d.unmet]
    life.jump(minutes=1).do(action)
    met = {d.id for d in life.deadlines(kind) if d.met_at == life.now}
    assert met == (set(unmet) if action in MET_BY[kind] else set())


@pytest.mark.parametrize("kind", ["first_response", "follow_up", "closure", "promise"])
def test_built_in_only_resolution_pauses(kind: str) -> None:
    assert not HANDBOOK.rules[DeadlineKind(kind)].pauses_on
    assert HANDBOOK.rules[DeadlineKind.RESOLUTION].pauses_on == {HoldReason.AWAITING_COMPLAINANT}


def test_built_in_a_hold_pauses_neither_first_response_nor_promise() -> None:
    life = followed_up().do("reopen")
    life.promise(life.now + hours(10))
    before = (life.deadline("first_response"), life.deadline("promise"))
    on_hold(life, days=2)
    assert (life.deadline("first_response"), life.deadline("promise")) == before
    assert life.deadline("resolution").status is PAUSED


# Rule 2.1 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after_due", "status"),
    [(-MOMENT, MET), (timedelta(), MET), (MOMENT, MET_LATE), (hours(1), MET_LATE)],
)
def test_rule_2_01_met_in_time_is_met_not_after_due(after_due: timedelta, status: DeadlineStatus) -> None:
    life = Life()
    life.jump(to=life.deadline("first_response").due_at + after_due).do("respond")
    met = life.deadline("first_response")
    assert (met.status, met.met_at) == (status, life.now)
    assert met.breached_at == (met.due_at if status is MET_LATE else None)


def test_rule_2_01_breached_from_the_first_instant_after_due() -> None:
    life = Life()
    due_at = life.deadline("first_response").due_at
    assert life.jump(to=due_at).sweep().deadline("first_response").status is RUNNING
    assert (life.overdue(), life.seen("first_response").status) == (False, RUNNING)
    life.jump(to=due_at + MOMENT)
    assert (life.overdue(), life.seen("first_response").status) == (True, BREACHED)
    assert life.sweep().deadline("first_response").status is BREACHED


@pytest.mark.parametrize("late", [MOMENT, hours(1), days(400)])
def test_rule_2_01_a_late_poll_does_not_change_when_it_was_breached(late: timedelta) -> None:
    life = Life()
    due_at = life.deadline("first_response").due_at
    life.jump(to=due_at + late).sweep()
    assert life.deadline("first_response").breached_at == due_at


def test_rule_2_01_met_in_time_although_a_breach_was_never_polled_for() -> None:
    life = Life().jump(hours=20).do("respond").jump(days=30).sweep()
    assert life.deadline("first_response").status is MET


def test_rule_2_01_a_promise_broken_during_a_hold_nobody_watched_was_broken_at_its_time() -> None:
    life = in_status(Status.INVESTIGATING)
    life.promise(START + hours(5))
    on_hold(life, days=2).jump(days=3).sweep()
    assert life.deadline("promise").breached_at == START + hours(5)


def test_rule_2_01_a_clock_run_out_after_its_budget_was_breached_at_its_time() -> None:
    life = on_hold(in_status(Status.INVESTIGATING), days=7).jump(days=8).sweep()
    assert life.deadline("resolution").breached_at == START + hours(72 + 48)


def test_rule_2_01_a_hold_that_lapsed_unseen_ends_as_of_its_end() -> None:
    """The pause ends with the hold, so there is no change of its own for the pause."""
    life = on_hold(in_status(Status.INVESTIGATING), days=1).jump(days=30).sweep()
    assert len(life.events_of(EventType.RESUMED)) == 1
    assert life.events_of(EventType.UPDATED) == []
    assert (life.deadline("resolution").status, life.deadline("resolution").breached_at) == (
        BREACHED,
        START + hours(48 + 24),
    )


@pytest.mark.parametrize("what", ["assign", "priority", "policy", "merge", "withdraw", "hold", "late"])
def test_rule_2_01_a_breach_is_a_fact(what: str) -> None:
    life = Life().jump(hours=25).do("record_contact", outcome=ContactOutcome.UNREACHABLE)
    breached_at = START + hours(24)
    match what:
        case "priority":
            life.change(priority=Priority.LOW)
        case "policy":
            life.replan(
                with_rule(HANDBOOK, DeadlineKind.FIRST_RESPONSE, targets=targets((None, elapsed(days(9)))))
            )
        case "hold":
            life.do("respond")
            on_hold(life, days=1)
        case "late":
            life.do("respond")
        case _:
            life.do(what)
    deadline = life.deadline("first_response")
    assert (deadline.breached_at, deadline.due_at) == (breached_at, breached_at)
    assert life.wait(days=9).deadline("first_response").breached_at == breached_at


# Rule 2.2 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("imported", [False, True])
def test_rule_2_02_clocks_start_when_the_complainant_called(imported: bool) -> None:
    life = Life(received_at=START - hours(10), imported=imported)
    assert {d.started_at for d in life.complaint.deadlines} == {START - hours(10)}
    assert life.deadline("first_response").due_at == START + hours(14)
    assert life.complaint.created_at == START


@pytest.mark.parametrize("imported", [False, True])
def test_rule_2_02_backdated_past_due_it_is_born_breached_and_says_so(imported: bool) -> None:
    life = Life(received_at=START - hours(30), imported=imported)
    response = life.deadline("first_response")
    assert (response.status, response.breached_at) == (BREACHED, START - hours(6))
    assert life.deadline("resolution").status is RUNNING
    assert life.overdue()
    [recorded] = life.events_of(EventType.DEADLINE_BREACHED)
    assert (recorded.data["kind"], recorded.data["deadline_id"], recorded.at) == (
        "first_response",
        str(response.id),
        START,
    )


def test_rule_2_02_backdated_to_exactly_due_it_is_not_breached() -> None:
    assert Life(received_at=START - hours(24)).deadline("first_response").status is RUNNING


# Rule 2.3 ---------------------------------------------------------------------------------------------------


def test_rule_2_03_exact_to_the_second() -> None:
    life = Life(now=START.replace(second=7, microsecond=123))
    assert life.deadline("resolution").due_at == START.replace(second=7, microsecond=123) + hours(48)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-01-05 09:00", "2026-01-06 09:30"),
        ("2026-01-05 09:30", "2026-01-06 10:00"),
        ("2026-01-05 16:00", "2026-01-06 16:30"),
        ("2026-01-06 17:30", "2026-01-07 18:00"),  # exactly at closing time
        ("2026-01-05 11:30", "2026-01-06 12:00"),  # where the lunch break begins
    ],
)
def test_rule_2_03_a_target_that_ends_at_closing_time_is_due_then(received: str, due: str) -> None:
    # 8 working hours; a day has 7½
    assert Life(policy=WORKING, now=local(received)).deadline("first_response").due_at == local(due)


# Rule 2.4 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-01-02 10:00", "2026-01-05 09:30"),  # holiday, Saturday, then a make-up Sunday
        ("2026-02-13 17:00", "2026-02-14 17:30"),  # a make-up Saturday before Spring Festival
        ("2026-02-14 17:00", "2026-02-24 17:30"),  # over the festival
        ("2026-04-03 17:00", "2026-04-07 17:30"),  # Tomb-Sweeping Day on a Monday
    ],
)
def test_rule_2_04_holidays_and_make_up_days(received: str, due: str) -> None:
    assert Life(policy=WORKING, now=local(received)).deadline("first_response").due_at == local(due)


def night_shift(zone: str, hours_open: dict[str, Any]) -> Policy:
    calendar = parse_calendar({"timezone": zone, "hours": hours_open})
    six_hours = targets((None, Target(6 * 3600, Unit.OPEN_SECONDS)))
    return with_rule(WORKING, DeadlineKind.FIRST_RESPONSE, calendar=calendar, targets=six_hours)


NIGHTS = {day: [["00:00", "04:00"], ["20:00", "24:00"]] for day in ("sat", "sun")}


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-03-28T19:00+00:00", "2026-03-29T01:00+00:00"),  # through the gap: six real hours
        ("2026-10-24T18:00+00:00", "2026-10-25T00:00+00:00"),  # into the fold
        ("2026-01-24T23:00+00:00", "2026-01-25T21:00+00:00"),  # the next night
    ],
)
def test_rule_2_04_a_night_shift_is_two_spans_and_real_time_counts(received: str, due: str) -> None:
    policy = night_shift("Europe/Berlin", NIGHTS)
    life = Life(policy=policy, now=datetime.fromisoformat(received).astimezone(UTC))
    assert life.deadline("first_response").due_at == datetime.fromisoformat(due)


def test_rule_2_04_a_boundary_in_a_gap_moves_forward_and_in_a_fold_is_the_first() -> None:
    spring = night_shift("Europe/Berlin", {"sun": [["02:30", "12:00"]]})  # 02:30 is 03:30 that day
    life = Life(policy=spring, now=datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert life.deadline("first_response").due_at == datetime(2026, 3, 29, 7, 30, tzinfo=UTC)
    autumn = night_shift("Europe/Berlin", {"sun": [["02:30", "12:00"]]})  # 02:30 comes twice
    life = Life(policy=autumn, now=datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert life.deadline("first_response").due_at == datetime(2026, 10, 25, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize("span", [["18:00", "09:00"], ["09:00", "09:00"], ["24:00", "24:00"]])
def test_rule_2_04_an_end_not_after_its_start_is_refused(span: list[str]) -> None:
    with pytest.raises(InvalidContent) as refused:
        parse_calendar({"timezone": "UTC", "hours": {"mon": [span]}})
    assert refused.value.faults[0].pointer.startswith("/hours/mon/0")


# Rule 2.5 ---------------------------------------------------------------------------------------------------


MONDAYS_OF_TWO_YEARS = [(START + days(7 * n)).date().isoformat() for n in range(110)]


@pytest.mark.parametrize(
    "spoiled",
    [
        {"hours": {}},
        {"hours": {"mon": []}},
        {"hours": {"mon": [["09:00", "10:00"]]}, "holidays": MONDAYS_OF_TWO_YEARS},
    ],
)
def test_rule_2_05_a_calendar_that_stays_closed_is_refused_when_saved(spoiled: dict[str, Any]) -> None:
    document: dict[str, Any] = to_document(WORKING)
    document["calendars"]["office"] = spoiled
    with pytest.raises(InvalidContent) as refused:
        from_document(document, version=1)
    assert any(fault.pointer.startswith("/calendars/office") for fault in refused.value.faults)


@pytest.mark.parametrize("priority", Priority)
def test_rule_2_05_intake_never_fails_for_a_calendar(priority: Priority) -> None:
    for day in range(0, 730, 11):
        life = Life(policy=WORKING, now=START + hours(25.5 * day), priority=priority)
        assert all(d.due_at > d.started_at for d in life.complaint.deadlines)


# Rule 2.6 ---------------------------------------------------------------------------------------------------


def test_rule_2_06_a_pause_extends_by_its_length() -> None:
    life = on_hold(in_status(Status.INVESTIGATING).jump(hours=10), days=3)
    paused = life.deadline("resolution")
    assert (paused.status, paused.due_at) == (PAUSED, START + hours(48 + 72))  # if it lasts to the end
    life.jump(hours=5).do("resume")
    running = life.deadline("resolution")
    assert (running.status, running.due_at, running.paused_seconds) == (RUNNING, START + hours(53), 5 * 3600)


def test_rule_2_06_a_hold_that_lapses_extends_to_its_end_however_late_that_is_seen() -> None:
    life = on_hold(in_status(Status.INVESTIGATING).jump(hours=10), hours=20)
    life.jump(hours=30).sweep()
    resolution = life.deadline("resolution")
    assert (resolution.status, resolution.due_at) == (RUNNING, START + hours(68))
    assert life.status is Status.INVESTIGATING


@pytest.mark.parametrize("reason", [HoldReason.AWAITING_THIRD_PARTY, HoldReason.OUTAGE])
def test_rule_2_06_a_hold_for_another_reason_pauses_nothing(reason: HoldReason) -> None:
    life = in_status(Status.INVESTIGATING)
    before = life.complaint.deadlines
    assert on_hold(life, reason, days=3).complaint.deadlines == before
    assert life.jump(hours=49).sweep().deadline("resolution").status is BREACHED
    assert life.status is Status.ON_HOLD


def test_rule_2_06_a_paused_clock_cannot_breach() -> None:
    life = on_hold(in_status(Status.INVESTIGATING).jump(hours=47), hours=72).wait(hours=71)
    assert (life.deadline("resolution").status, life.overdue()) == (PAUSED, False)
    assert life.complaint.next_due_at is None
    life.do("resume")
    assert life.deadline("resolution").due_at == life.now + hours(1)
    assert life.complaint.next_due_at == life.now + hours(1)


@pytest.mark.parametrize(
    ("started", "until", "due"),
    [
        # 8 working hours from Monday 09:00 are due on Tuesday 09:30
        ("2026-01-05 18:00", "2026-01-06 09:00", "2026-01-06 09:30"),  # the night
        ("2026-01-05 12:00", "2026-01-05 13:30", "2026-01-06 09:30"),  # the lunch break
        ("2026-01-05 11:00", "2026-01-05 14:00", "2026-01-06 11:00"),  # 1½ open hours of three
        ("2026-01-05 17:00", "2026-01-06 10:00", "2026-01-06 11:30"),  # two open hours of seventeen
    ],
)
def test_rule_2_06_only_open_time_of_a_hold_extends(started: str, until: str, due: str) -> None:
    pausing = with_rule(
        WORKING, DeadlineKind.FIRST_RESPONSE, pauses_on=frozenset({HoldReason.AWAITING_COMPLAINANT})
    )
    life = Life(policy=pausing, now=START - days(30)).do("reject").jump(to=START).do("reopen")
    life.jump(to=local(started))
    life.do("hold", until=local(until))
    assert life.deadline("first_response").due_at == local(due)
    life.wait(to=local(until))
    assert (life.status, life.deadline("first_response").due_at) == (Status.INVESTIGATING, local(due))


def test_rule_2_06_the_budget_is_for_a_whole_cycle() -> None:
    life = in_status(Status.INVESTIGATING)
    for _ in range(3):  # 30 + 30 + 12 of 30 hours
        on_hold(life, hours=30).wait(hours=30).jump(hours=1)
    resolution = life.deadline("resolution")
    assert (resolution.due_at, resolution.paused_seconds) == (START + hours(48 + 72), 72 * 3600)
    on_hold(life, hours=30)
    assert (life.deadline("resolution").status, life.deadline("resolution").due_at) == (
        RUNNING,
        START + hours(120),
    )


def test_rule_2_06_the_budget_spent_the_clock_runs_on_while_on_hold() -> None:
    life = on_hold(in_status(Status.INVESTIGATING), days=7)
    paused = life.deadline("resolution")
    assert (paused.status, paused.paused_until, paused.due_at) == (
        PAUSED,
        START + hours(72),
        START + hours(120),
    )
    life.jump(hours=72)
    assert life.seen("resolution").status is RUNNING
    life.sweep()
    assert (life.status, life.deadline("resolution").status) == (Status.ON_HOLD, RUNNING)
    life.jump(hours=48, microseconds=1)
    assert (life.seen("resolution").status, life.overdue()) == (BREACHED, True)
    assert life.sweep().status is Status.ON_HOLD
    assert life.deadline("resolution").status is BREACHED


def test_rule_2_06_a_new_cycle_has_a_new_budget() -> None:
    life = on_hold(in_status(Status.INVESTIGATING), days=4).wait(days=4)
    life.do("resolve").do("notify_result").do("reopen")
    started_at = life.now
    on_hold(life, days=3)
    assert life.deadline("resolution", cycle=2).due_at == started_at + hours(48 + 72)


def test_rule_2_06_the_budget_of_an_elapsed_target_is_real_time() -> None:
    policy = with_rule(
        HANDBOOK, DeadlineKind.RESOLUTION, calendar=OFFICE
    )  # elapsed hours, whatever the calendar
    life = on_hold(in_status(Status.INVESTIGATING, policy=policy), days=7)
    assert life.deadline("resolution").due_at == START + hours(48 + 72)


def test_rule_2_06_a_budget_in_working_time() -> None:
    life = in_status(Status.INVESTIGATING, policy=WORKING)
    life.do("hold", until=START + days(14))
    # 40 open hours from Monday 09:00, seven and a half a day: until the next Monday 11:30
    assert life.deadline("resolution").paused_until == local("2026-01-12 11:30")


@pytest.mark.parametrize("action", ["resume", "resolve", "reject", "withdraw", "merge"])
def test_rule_2_06_an_action_that_leaves_on_hold_ends_the_pause_first(action: str) -> None:
    life = on_hold(in_status(Status.INVESTIGATING).jump(hours=40), days=3).jump(hours=20).do(action)
    resolution = life.deadline("resolution")
    assert (resolution.due_at, resolution.paused_seconds) == (START + hours(68), 20 * 3600)
    assert life.complaint.holds[0].ended_at == life.now
    if action == "reject":
        assert resolution.status is MET


def test_rule_2_06_a_hold_after_the_breach_pauses_nothing() -> None:
    life = in_status(Status.INVESTIGATING).jump(hours=49).sweep()
    before = life.deadline("resolution")
    on_hold(life, days=2)
    assert life.deadline("resolution") == before
    assert [e.step for e in life.wait(days=1).steps("resolution")][-1] == "+24h"


def test_rule_2_06_a_hold_of_no_length_pauses_nothing() -> None:
    life = on_hold(in_status(Status.INVESTIGATING), days=1).do("resume")
    resolution = life.deadline("resolution")
    assert (resolution.due_at, resolution.paused_seconds) == (START + hours(48), 0)


def test_rule_2_06_a_promise_is_never_put_off() -> None:
    pausing = with_rule(HANDBOOK, DeadlineKind.PROMISE, pauses_on=frozenset(HoldReason))
    life = in_status(Status.INVESTIGATING, policy=pausing)
    life.promise(START + hours(5))
    on_hold(life, days=1)
    assert (life.deadline("promise").status, life.deadline("promise").due_at) == (RUNNING, START + hours(5))
    assert life.jump(hours=6).sweep().deadline("promise").status is BREACHED


# Rule 2.7 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result_at", "due"),
    [
        ("2026-01-31 10:00", "2026-02-28 10:00"),
        ("2028-01-31 10:00", "2028-02-29 10:00"),
        ("2026-03-31 00:30", "2026-04-30 00:30"),  # 30 March in UTC
        ("2026-12-15 23:59", "2027-01-15 23:59"),
    ],
)
def test_rule_2_07_months_are_calendar_months_at_the_same_local_time(result_at: str, due: str) -> None:
    life = followed_up(now=local(result_at))
    assert life.deadline("follow_up").due_at == local(due)
    assert life.deadline("closure").due_at == local(due) + days(7)


def test_rule_2_07_every_month_is_counted_from_the_result() -> None:
    life = followed_up(now=local("2026-01-31 10:00"), priority=Priority.HIGH)
    due = ["2026-02-28 10:00", "2026-03-31 10:00", "2026-04-30 10:00"]
    assert [d.due_at for d in life.deadlines("follow_up")] == [local(text) for text in due]


def test_rule_2_07_days_keep_the_local_time_over_a_change_of_the_clocks() -> None:
    berlin = replace(HANDBOOK, timezone="Europe/Berlin", rules={
        kind: replace(rule, calendar=parse_calendar({"timezone": "Europe/Berlin", "hours": None}))
        for kind, rule in HANDBOOK.rules.items()
    })  # fmt: skip
    life = followed_up(policy=berlin, now=datetime(2026, 2, 25, 11, tzinfo=UTC))  # 12:00 there
    assert life.deadline("follow_up").due_at == datetime(2026, 3, 25, 11, tzinfo=UTC)
    assert life.deadline("closure").due_at == datetime(2026, 4, 1, 10, tzinfo=UTC)  # 12:00 still
    life.jump(to=datetime(2026, 3, 24, 11, tzinfo=UTC)).do(
        "record_contact", outcome=ContactOutcome.UNREACHABLE
    )
    assert life.deadline("follow_up", attempt=2).due_at == datetime(2026, 3, 27, 11, tzinfo=UTC)


# Rule 2.8 ---------------------------------------------------------------------------------------------------


def test_rule_2_08_a_changed_priority_recomputes_from_the_original_start() -> None:
    life = Life(policy=PRESSING).jump(hours=5).change(priority=Priority.URGENT)
    assert life.deadline("resolution").due_at == START + hours(12)
    life.change(priority=Priority.LOW)
    assert life.deadline("resolution").due_at == START + hours(48)


def test_rule_2_08_a_changed_category_too() -> None:
    life = Life(policy=WORKING)
    life.change(category="network.outage")  # 4 working hours
    assert life.deadline("first_response").due_at == local("2026-01-05 14:30")


def test_rule_2_08_pauses_are_kept() -> None:
    life = on_hold(in_status(Status.INVESTIGATING, policy=PRESSING), hours=6).wait(hours=6)
    life.change(priority=Priority.URGENT)
    assert life.deadline("resolution").due_at == START + hours(18)


def test_rule_2_08_a_clock_stays_paused_when_the_priority_changes_on_hold() -> None:
    life = on_hold(in_status(Status.INVESTIGATING, policy=PRESSING).jump(hours=6), hours=30).jump(hours=4)
    life.change(priority=Priority.URGENT)
    resolution = life.deadline("resolution")
    assert (resolution.status, resolution.due_at) == (PAUSED, START + hours(42))
    assert resolution.paused_until == START + hours(36)
    life.do("resume")
    assert life.deadline("resolution").due_at == START + hours(16)


def test_rule_2_08_made_past_due_it_is_breached_at_the_moment_of_the_change() -> None:
    life = Life(policy=PRESSING).jump(hours=20).change(priority=Priority.URGENT)
    resolution = life.deadline("resolution")
    assert (resolution.status, resolution.due_at) == (BREACHED, START + hours(12))
    assert resolution.breached_at == life.now == START + hours(20)
    [recorded] = life.events_of(EventType.DEADLINE_BREACHED)
    assert recorded.data["kind"] == "resolution"


def test_rule_2_08_made_past_due_while_paused_too() -> None:
    life = on_hold(in_status(Status.INVESTIGATING, policy=PRESSING).jump(hours=20), days=2).jump(hours=1)
    life.change(priority=Priority.URGENT)
    resolution = life.deadline("resolution")
    assert (resolution.status, resolution.breached_at) == (BREACHED, START + hours(21))
    assert life.wait(days=3).deadline("resolution").breached_at == START + hours(21)


def test_rule_2_08_made_due_exactly_now_it_is_not_breached_yet() -> None:
    life = Life(policy=PRESSING).jump(hours=12).change(priority=Priority.URGENT)
    assert life.deadline("resolution").status is RUNNING
    life.jump(microseconds=1).sweep()
    assert life.deadline("resolution").breached_at == START + hours(12)


def test_rule_2_08_past_due_before_the_change_it_was_breached_then() -> None:
    life = Life().jump(hours=60).change(priority=Priority.URGENT)
    assert life.deadline("resolution").breached_at == START + hours(48)


def test_rule_2_08_met_and_breached_ones_do_not_move() -> None:
    life = Life().jump(hours=1).do("respond")
    met = life.deadline("first_response")
    life.jump(hours=50).sweep()
    breached = life.deadline("resolution")
    life.replan(stricter())
    assert life.deadline("first_response") == met
    assert life.deadline("resolution").due_at == breached.due_at
    assert life.deadline("resolution").breached_at == breached.breached_at
    assert (life.deadline("first_response").policy_version, life.deadline("resolution").policy_version) == (
        1,
        2,
    )


def test_rule_2_08_steps_taken_stay_taken() -> None:
    life = Life().wait(hours=39)  # 50 % and 80 % of 48 h
    life.do("respond")
    life.replan(with_rule(replace(HANDBOOK, version=2), DeadlineKind.RESOLUTION,
                          targets=targets((None, elapsed(days(10))))))  # fmt: skip
    assert life.deadline("resolution").steps_taken == ("50%", "80%")
    life.wait(days=8)
    assert [e.step for e in life.steps("resolution")] == ["50%", "80%"]
    life.wait(to=START + days(10) + hours(1))
    assert [e.step for e in life.steps("resolution")] == ["50%", "80%", "100%"]


def test_rule_2_08_the_follow_up_plan_stays_as_made() -> None:
    life = followed_up()
    before = [(d.kind, d.due_at) for d in life.complaint.deadlines if d.unmet]
    life.change(priority=Priority.URGENT).replan(stricter())
    assert [(d.kind, d.due_at) for d in life.complaint.deadlines if d.unmet] == before


def test_rule_2_08_a_promise_stays_as_promised() -> None:
    life = Life()
    life.promise(START + hours(30)).replan(stricter())
    assert life.deadline("promise").due_at == START + hours(30)


# Rule 2.9 ---------------------------------------------------------------------------------------------------


def test_rule_2_09_a_complaint_keeps_its_policy_version() -> None:
    life = closable().do("close").do("reopen")
    assert {(d.policy_code, d.policy_version) for d in life.complaint.deadlines} == {("telecom-handbook", 1)}


def test_rule_2_09_re_planned_on_purpose_which_is_an_event() -> None:
    life = Life().jump(hours=3).replan(stricter())
    assert (life.complaint.policy_code, life.complaint.policy_version) == ("telecom-handbook", 2)
    assert [d.due_at for d in life.complaint.deadlines] == [START + hours(12), START + hours(24)]
    [recorded] = life.events_of(EventType.REPLANNED)
    assert recorded.data["changes"] == {"policy_version": 2}
    assert len(recorded.data["deadlines"]) == 2
    life.do("resolve").do("notify_result")
    assert [d.due_at - life.now for d in life.deadlines("follow_up")] == [days(7), days(14)]


# Rule 2.10 --------------------------------------------------------------------------------------------------


def test_rule_2_10_time_while_closed_never_counts() -> None:
    life = closable().do("close").jump(days=60).do("reopen")
    assert life.deadline("resolution").due_at == life.now + hours(48)
    assert life.deadline("resolution").started_at == life.now


def test_rule_2_10_time_while_the_house_is_closed_never_counts() -> None:
    life = Life(policy=WORKING, now=local("2026-01-09 17:59"))  # Friday
    assert life.deadline("first_response").due_at == local("2026-01-13 09:29")


def test_rule_2_10_the_old_cycles_record_stays() -> None:
    life = Life().jump(hours=30).do("resolve").do("notify_result").jump(days=1)
    before = [d for d in life.complaint.deadlines if not d.unmet]
    life.do("reopen").jump(hours=1).do("respond").jump(days=9).sweep()
    assert life.complaint.deadlines[: len(before)] == tuple(before)
    assert {d.cycle for d in life.complaint.deadlines} == {1, 2}


# Rule 2.11 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["merge", "reject", "withdraw", "close"])
def test_rule_2_11_an_ended_complaint_has_no_clock_and_never_escalates_again(action: str) -> None:
    if action == "close":
        life = closable().wait(days=8)  # past its closure
    else:
        life = Life()
        life.promise(START + hours(1)).wait(hours=30)
    breached = {d.id: d.breached_at for d in life.complaint.deadlines if d.status is BREACHED}
    assert breached
    taken = len(life.escalations)
    life.do(action)
    assert (life.complaint.wake_at, life.complaint.next_due_at, life.overdue()) == (None, None, False)
    after = {d.id: d for d in life.complaint.deadlines}
    assert all(d.status in (MET, MET_LATE, CANCELLED) for d in after.values())
    assert {deadline_id: after[deadline_id].breached_at for deadline_id in breached} == breached
    events = len(life.events)
    life.jump(days=400).sweep()
    assert (len(life.escalations), len(life.events)) == (taken, events)


def test_rule_2_11_what_was_not_breached_is_cancelled_without_a_breach() -> None:
    life = Life().jump(hours=1).do("withdraw").jump(days=30).sweep()
    assert [(d.status, d.breached_at) for d in life.complaint.deadlines] == [(CANCELLED, None)] * 2


# Rule 2.12 --------------------------------------------------------------------------------------------------


def alive(life: Life) -> list[Deadline]:
    """The deadlines that keep the complaint from being forgotten."""
    policy = life.policy

    def at_its_top(deadline: Deadline) -> bool:
        terms = deadlines.terms_of(deadline, life.complaint, policy)
        return all(step.name in deadline.steps_taken for step in terms.rule.ladder) and bool(
            life.complaint.first_owner
        )

    return [
        d
        for d in life.complaint.deadlines
        if (d.status is RUNNING and d.wake_at)
        or (d.status is PAUSED and d.wake_at and life.complaint.current_hold)
        or (d.status is BREACHED and (d.wake_at or at_its_top(d)))
    ]


@pytest.mark.parametrize("left_alone", [timedelta(), days(3), days(400)])
@pytest.mark.parametrize(
    "status", [s for s in Status if s not in ("closed", "rejected", "withdrawn", "merged")]
)
def test_rule_2_12_no_open_complaint_is_without_a_clock(status: Status, left_alone: timedelta) -> None:
    life = in_status(status)
    assert alive(life.jump(to=life.now + left_alone).sweep())


def test_rule_2_12_after_the_last_attempt_closure_remains() -> None:
    life = followed_up()
    for _ in range(3):
        life.wait(to=life.deadline("follow_up").due_at).do(
            "record_contact", outcome=ContactOutcome.UNREACHABLE
        )
    assert [d.kind for d in alive(life)] == ["closure"]
    assert alive(life.jump(days=100).sweep())


@pytest.mark.parametrize("outcome", ContactOutcome)
def test_rule_2_12_after_any_contact_something_remains(outcome: ContactOutcome) -> None:
    life = followed_up()
    assert alive(life.wait(to=life.deadline("follow_up").due_at).do("record_contact", outcome=outcome))


@pytest.mark.parametrize("kind", DeadlineKind)
def test_rule_2_12_every_ladder_has_a_step_at_or_after_due(kind: DeadlineKind) -> None:
    document: dict[str, Any] = to_document(HANDBOOK)
    document["deadlines"][kind]["ladder"] = [{"at": "80%", "level": 0, "notify": ["assignee"]}]
    with pytest.raises(InvalidContent) as refused:
        from_document(document, version=2)
    assert [fault.pointer for fault in refused.value.faults] == [f"/deadlines/{kind}/ladder"]


# Rule 2.13 --------------------------------------------------------------------------------------------------


def explained(life: Life, kind: str) -> tuple[Segment, ...]:
    return deadlines.explain_due_time(life.deadline(kind), life.complaint, life.policy)


def counted_seconds(segments: tuple[Segment, ...]) -> float:
    return sum((s.end - s.start).total_seconds() for s in segments if s.counted and s.end)


def test_rule_2_13_an_explanation_leads_from_start_to_due() -> None:
    life = Life(policy=WORKING, now=local("2026-02-13 17:00"))
    segments = explained(life, "first_response")
    assert [(s.start, s.end, s.counted, s.reason) for s in segments] == [
        (local("2026-02-13 17:00"), local("2026-02-13 18:00"), True, "open"),
        (local("2026-02-13 18:00"), local("2026-02-14 00:00"), False, "closed"),
        (local("2026-02-14 00:00"), local("2026-02-14 09:00"), False, "override: closed"),
        (local("2026-02-14 09:00"), local("2026-02-14 12:00"), True, "override: open"),
        (local("2026-02-14 12:00"), local("2026-02-14 13:30"), False, "override: closed"),
        (local("2026-02-14 13:30"), local("2026-02-14 17:30"), True, "override: open"),
    ]
    assert counted_seconds(segments) == 8 * 3600


def test_rule_2_13_holidays_are_named() -> None:
    life = Life(policy=WORKING, now=local("2026-04-03 17:00"))
    assert "holiday: 清明节" in {segment.reason for segment in explained(life, "first_response")}


def test_rule_2_13_pauses_are_shown_and_the_sum_is_the_target() -> None:
    life = on_hold(in_status(Status.INVESTIGATING).jump(hours=10), hours=5).wait(hours=20)
    segments = explained(life, "resolution")
    assert [(s.start - START, s.counted, s.reason) for s in segments] == [
        (hours(0), True, "elapsed"),
        (hours(10), False, "paused"),
        (hours(15), True, "elapsed"),
    ]
    assert (segments[-1].end, counted_seconds(segments)) == (START + hours(53), 48 * 3600)


def test_rule_2_13_every_due_time_of_a_life_is_explained() -> None:
    life = on_hold(in_status(Status.INVESTIGATING), hours=50)
    life.promise(life.now + hours(9)).wait(hours=60).do("resolve").do("notify_result").wait(days=40)
    life.do("record_contact", outcome=ContactOutcome.UNREACHABLE).do("reopen").jump(hours=1)
    on_hold(life, days=5).jump(hours=1)
    life.promise(life.now + hours(9))
    assert {d.kind for d in life.complaint.deadlines} == set(DeadlineKind)
    for deadline in life.complaint.deadlines:
        segments = deadlines.explain_due_time(deadline, life.complaint, life.policy)
        assert (segments[0].start, segments[-1].end) == (deadline.started_at, deadline.due_at)
        assert all(one.end == two.start for one, two in pairwise(segments))


def test_rule_2_13_a_cancelled_deadline_is_explained_without_what_came_later() -> None:
    life = in_status(Status.INVESTIGATING).do("withdraw").jump(hours=1).do("reopen")
    on_hold(life, hours=10)
    cancelled = life.deadline("resolution", cycle=1)
    segments = deadlines.explain_due_time(cancelled, life.complaint, life.policy)
    assert segments[-1].end == cancelled.due_at == START + hours(48)


def test_rule_2_13_a_met_deadline_is_explained_as_it_stood() -> None:
    pausing = with_rule(HANDBOOK, DeadlineKind.FIRST_RESPONSE, pauses_on=frozenset(HoldReason))
    life = followed_up(policy=pausing).do("reopen").jump(hours=1)
    on_hold(life, hours=10).jump(hours=2).do("respond").jump(hours=1).do("resume").jump(hours=1)
    on_hold(life, hours=10)
    met = life.deadline("first_response")
    assert met.due_at == START + hours(34)
    assert explained(life, "first_response")[-1].end == met.due_at


# overdue and next due ---------------------------------------------------------------------------------------


def test_overdue_and_next_due_follow_from_the_clock_swept_or_not() -> None:
    swept, unswept = Life(), Life()
    for by in (hours(24), MOMENT, hours(24), days(3)):
        swept.wait(to=swept.now + by).sweep()
        unswept.jump(to=unswept.now + by)
        assert swept.overdue() == unswept.overdue()
        current = replace(
            unswept.complaint,
            deadlines=tuple(deadlines.catch_up_status(d, unswept.now) for d in unswept.complaint.deadlines),
        )
        assert current.next_due_at == swept.complaint.next_due_at
        assert [d.status for d in current.deadlines] == [d.status for d in swept.complaint.deadlines]
        assert [d.breached_at for d in current.deadlines] == [
            d.breached_at for d in swept.complaint.deadlines
        ]


def test_next_due_is_the_earliest_of_running_and_breached_ones() -> None:
    life = Life()
    life.promise(START + hours(2))
    assert life.complaint.next_due_at == START + hours(2)
    assert life.jump(hours=3).sweep().complaint.next_due_at == START + hours(2)
    assert life.do("respond").complaint.next_due_at == START + hours(48)


def test_overdue_ends_when_it_is_met() -> None:
    life = Life().jump(hours=30)
    assert life.overdue()
    assert not life.do("respond").overdue()


def test_a_working_hours_priority_raised_by_a_step_is_a_change_like_others() -> None:
    life = Life(policy=WORKING, now=local("2026-01-05 10:00"))
    due_at = life.deadline("first_response").due_at
    life.wait(to=due_at + MOMENT)
    assert (life.complaint.priority, life.deadline("first_response").due_at) == (Priority.HIGH, due_at)
    assert life.deadline("resolution").due_at == local("2026-01-08 10:00")  # 3 working days
    assert without_step_actions(WORKING).rules[DeadlineKind.FIRST_RESPONSE].ladder[2].raise_priority is False
