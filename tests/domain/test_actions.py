"""What each action must carry, when it is refused, and what it does: the rows of the table of domain §1."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import Forbidden, InvalidContent, TransitionRefused
from complaints.domain.instants import write_instant
from complaints.domain.rules.actions import ActionVerdict, close_refusal, judge_actions
from complaints.domain.rules.merging import merge_refusal
from complaints.domain.vocabulary import (
    OPEN_STATUSES,
    AccessRole,
    Action,
    Cause,
    ContactChannel,
    ContactOutcome,
    DeadlineStatus,
    EventType,
    HoldReason,
    Outcome,
    Priority,
    RecipientRole,
    Status,
)
from tests.domain.builders import (
    AGENT,
    DIRECTORY,
    HANDBOOK,
    MOMENT,
    START,
    SUPERVISOR,
    Life,
    closable,
    days,
    followed_up,
    hours,
    in_status,
    local,
    with_user,
)

OPEN = [status for status in Status if status in OPEN_STATUSES]
UNREACHABLE = ContactOutcome.UNREACHABLE
NOT_SOLVED = ContactOutcome.NOT_SOLVED


def refusal_of(life: Life, action: str, **members: Any) -> TransitionRefused:
    """The refusal of an action, which changed nothing."""
    before = life.complaint
    with pytest.raises(TransitionRefused) as refused:
        life.do(action, **members)
    assert life.complaint == before
    assert refused.value.allowed is not None
    assert action not in refused.value.allowed or action in ("close", "record_contact")
    return refused.value


def fault_of(life: Life, action: str, **members: Any) -> str:
    """The member at fault, where an action is refused for what it carries."""
    before = life.complaint
    with pytest.raises(InvalidContent) as refused:
        life.do(action, **members)
    assert life.complaint == before
    [fault] = refused.value.faults
    return fault.pointer


def verdict_on(life: Life, action: Action) -> ActionVerdict:
    return next(
        verdict for verdict in judge_actions(life.complaint, life.context()) if verdict.action is action
    )


# Every action -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [a for a in Action if a is not Action.ESCALATE])
def test_an_action_is_one_change_of_the_complaint(action: Action) -> None:
    status = {
        Action.RESUME: Status.ON_HOLD,
        Action.NOTIFY_RESULT: Status.RESOLVED,
        Action.RECORD_CONTACT: Status.FOLLOWING_UP,
        Action.REOPEN: Status.CLOSED,
        Action.UNMERGE: Status.MERGED,
    }.get(action, Status.INVESTIGATING)
    life = closable() if action is Action.CLOSE else in_status(status, roles=SUPERVISOR)
    version = life.complaint.version
    life.jump(minutes=1).do(action)
    assert (life.complaint.version, life.complaint.updated_at) == (version + 1, life.now)


@pytest.mark.parametrize("status", Status)
def test_every_action_is_reviewed_with_the_reason_where_it_is_refused(status: Status) -> None:
    # rule 1.6
    life = in_status(status)
    found = judge_actions(life.complaint, life.context())
    assert [verdict.action for verdict in found] == list(Action)
    for verdict in found:
        assert verdict.allowed is (verdict.refused_because is None)
        if verdict.allowed and verdict.action is not Action.RECORD_CONTACT:
            in_status(status).do(verdict.action)
        elif not verdict.allowed:
            with pytest.raises((TransitionRefused, Forbidden)):
                in_status(status).do(verdict.action)


def test_a_refused_action_tells_those_allowed_now() -> None:
    life = followed_up()
    refused = refusal_of(life, "hold")
    assert refused.allowed == ("assign", "record_contact", "reopen", "escalate", "withdraw", "merge")
    life.roles = SUPERVISOR  # may close early
    assert "close" in (refusal_of(life, "hold").allowed or ())


# assign -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", OPEN)
def test_assign_a_person_or_a_team_or_both(status: Status) -> None:
    life = in_status(status).do("assign", assignee="an")
    assert (life.complaint.team, life.complaint.assignee) == ("customer_service", "an")
    life.do("assign", assignee="li", team="operations")
    assert (life.complaint.team, life.complaint.assignee) == ("operations", "li")
    assert life.status is status


def test_another_team_takes_over_without_an_assignee() -> None:
    life = Life().do("assign", assignee="an")
    assert life.do("assign", team="customer_service", assignee=None).complaint.assignee == "an"
    moved = life.do("assign", team="operations", assignee=None).complaint
    assert (moved.team, moved.assignee) == ("operations", None)


def test_the_first_owner_stays_whoever_handles_it() -> None:
    life = Life().do("assign", assignee="li", team="operations")
    assert life.complaint.first_owner == "fei"


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"assignee": None}, ""),
        ({"team": "nobody", "assignee": None}, "/team"),
        ({"team": "dissolved", "assignee": None}, "/team"),
        ({"assignee": "nobody"}, "/assignee"),
        ({"assignee": "gone"}, "/assignee"),
    ],
)
def test_assign_refuses_who_does_not_exist_or_is_not_active(members: dict[str, Any], pointer: str) -> None:
    life = Life(directory=with_user(DIRECTORY, "gone", active=False))
    assert fault_of(life, "assign", **members) == pointer


# respond ----------------------------------------------------------------------------------------------------


def test_the_first_response_meets_its_deadline_and_later_ones_are_progress_reports() -> None:
    life = Life().jump(hours=2).do("respond", message="Hello")
    met = life.deadline("first_response")
    assert (life.status, met.status, met.met_at) == (Status.INVESTIGATING, DeadlineStatus.MET, life.now)
    life.jump(hours=3).do("respond", message="Still on it")
    assert life.deadline("first_response") == met
    assert [event.data["message"] for event in life.events_of(EventType.RESPONDED)] == [
        "Hello",
        "Still on it",
    ]


def test_respond_while_on_hold_leaves_the_hold() -> None:
    life = in_status(Status.ON_HOLD)
    hold, resolution = life.complaint.current_hold, life.deadline("resolution")
    life.jump(hours=1).do("respond")
    assert (life.complaint.current_hold, life.deadline("resolution")) == (hold, resolution)


@pytest.mark.parametrize("action", ["respond", "notify_result", "reject"])
def test_any_contact_to_the_complainant_meets_a_promise(action: str) -> None:
    life = in_status(Status.RESOLVED if action == "notify_result" else Status.INVESTIGATING)
    life.promise(life.now + hours(2)).promise(life.now + hours(5)).jump(hours=3).do(action)
    assert [d.status for d in life.deadlines("promise")] == [DeadlineStatus.MET_LATE, DeadlineStatus.MET]


def test_an_answered_contact_meets_a_promise_and_an_unreachable_one_does_not() -> None:
    life = followed_up()
    life.promise(life.now + hours(5)).jump(hours=1).do("record_contact", outcome=UNREACHABLE)
    assert life.deadline("promise").status is DeadlineStatus.RUNNING
    life.do("record_contact")
    assert life.deadline("promise").status is DeadlineStatus.MET


@pytest.mark.parametrize("action", ["respond", "notify_result", "reject"])
def test_a_contact_meets_a_promise_of_an_earlier_cycle(action: str) -> None:
    life = followed_up()
    life.promise(life.now + days(3)).do("reopen")
    if action == "notify_result":
        life.do("resolve")
    assert (life.complaint.cycle, life.deadline("promise").status) == (2, DeadlineStatus.RUNNING)
    life.do(action)
    assert life.deadline("promise", cycle=1).status is DeadlineStatus.MET


# hold, resume -----------------------------------------------------------------------------------------------


def test_a_hold_ends_in_the_future_and_within_the_longest_time() -> None:
    life = in_status(Status.INVESTIGATING)
    assert fault_of(life, "hold", until=life.now) == "/until"
    assert fault_of(life, "hold", until=life.now - hours(1)) == "/until"
    assert fault_of(life, "hold", until=life.now + days(7) + MOMENT) == "/until"
    life.do("hold", until=life.now + days(7))
    assert life.status is Status.ON_HOLD


def test_the_policy_says_how_long_a_hold_may_last() -> None:
    life = in_status(Status.INVESTIGATING, policy=replace(HANDBOOK, hold_maximum=HANDBOOK.unreachable_retry))
    assert fault_of(life, "hold", until=life.now + days(3) + MOMENT) == "/until"
    life.do("hold", until=life.now + days(3))


@pytest.mark.parametrize("reason", HoldReason)
def test_a_hold_is_on_record_with_its_reason_and_end(reason: HoldReason) -> None:
    life = in_status(Status.INVESTIGATING).do("hold", reason=reason, until=START + hours(30))
    hold = life.complaint.current_hold
    assert hold is not None
    assert (hold.reason, hold.started_at, hold.until_at, hold.cycle) == (reason, START, START + hours(30), 1)
    recorded = life.events_of(EventType.HELD)[-1].data
    assert (recorded["reason"], recorded["until_at"]) == (reason, "2026-01-06T07:00:00Z")


def test_resume_ends_the_hold_now() -> None:
    life = in_status(Status.ON_HOLD).jump(hours=3).do("resume")
    assert (life.status, life.complaint.current_hold) == (Status.INVESTIGATING, None)
    assert life.complaint.holds[0].ended_at == life.now
    assert life.events_of(EventType.RESUMED)[-1].actor == "an"


def test_the_engine_resumes_at_the_end_of_the_hold() -> None:
    life = in_status(Status.ON_HOLD).jump(days=2).sweep()
    assert (life.status, life.complaint.current_hold) == (Status.INVESTIGATING, None)
    assert life.complaint.holds[0].ended_at == START + days(1)
    assert life.events_of(EventType.RESUMED)[-1].actor == "engine"


def test_an_action_after_the_end_of_a_hold_nobody_saw_finds_it_ended() -> None:
    life = in_status(Status.ON_HOLD).jump(days=1)
    assert "not possible" in str(refusal_of(life, "resume"))
    life.do("hold", until=life.now + days(1))
    assert [hold.ended_at for hold in life.complaint.holds] == [START + days(1), None]


# resolve, notify_result -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.RECEIVED, Status.INVESTIGATING, Status.ON_HOLD])
def test_resolve_decides_and_does_not_yet_meet_the_resolution(status: Status) -> None:
    life = in_status(status).jump(hours=1)
    life.do(
        "resolve",
        resolution="A new fibre",
        outcome=Outcome.UPHELD,
        cause=Cause.TECHNICAL,
        root_cause="Old fibre",
        compensation=(Decimal("12.50"), "CNY"),
    )
    complaint = life.complaint
    assert (complaint.resolution, complaint.outcome, complaint.cause) == (
        "A new fibre",
        Outcome.UPHELD,
        Cause.TECHNICAL,
    )
    assert (complaint.root_cause, complaint.resolved_at) == ("Old fibre", life.now)
    assert (complaint.compensation_amount, complaint.compensation_currency) == (Decimal("12.50"), "CNY")
    assert complaint.current_hold is None
    assert life.deadline("resolution").status is DeadlineStatus.RUNNING


def test_an_assumed_outcome_is_marked_until_somebody_decides_or_a_new_cycle_starts() -> None:
    # rule 1.20
    life = in_status(Status.INVESTIGATING).do("resolve", outcome_assumed=True)
    assert (life.complaint.outcome, life.complaint.outcome_assumed) == (Outcome.NOT_UPHELD, True)
    assert life.events_of(EventType.RESOLVED)[-1].data["changes"]["outcome_assumed"] is True
    life.do("reopen")
    assert life.complaint.outcome_assumed is True  # the cycle goes on with the outcome that it has
    life.do("resolve", outcome=Outcome.UPHELD)
    assert (life.complaint.outcome, life.complaint.outcome_assumed) == (Outcome.UPHELD, None)
    assert life.events_of(EventType.RESOLVED)[-1].data["changes"]["outcome_assumed"] is None
    life.do("reopen").do("resolve", outcome_assumed=True).do("notify_result").do("reopen")
    assert (life.complaint.outcome, life.complaint.outcome_assumed) == (None, None)


def test_resolve_from_on_hold_ends_the_pause_first() -> None:
    life = in_status(Status.ON_HOLD).jump(hours=5).do("resolve")
    resolution = life.deadline("resolution")
    assert (resolution.paused_seconds, resolution.due_at) == (5 * 3600, START + hours(53))
    assert life.complaint.holds[0].ended_at == life.now


@pytest.mark.parametrize("channel", ContactChannel)
def test_the_result_counts_when_it_is_fed_back_by_any_channel(channel: ContactChannel) -> None:
    life = Life().jump(hours=30).do("resolve").jump(hours=1).do("notify_result", contact_channel=channel)
    assert life.deadline("resolution").met_at == life.now == life.complaint.result_told_at
    assert life.deadline("first_response").status is DeadlineStatus.MET_LATE
    assert life.status is Status.FOLLOWING_UP


# record_contact ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.RECEIVED, Status.INVESTIGATING, Status.ON_HOLD, Status.RESOLVED])
def test_before_the_result_only_a_failed_call_is_recorded(status: Status) -> None:
    life = in_status(status).jump(hours=1)
    clocks = life.complaint.deadlines
    life.do("record_contact", outcome=UNREACHABLE, note="no answer")
    assert (life.status, life.complaint.deadlines) == (status, clocks)
    recorded = life.events_of(EventType.CONTACT_RECORDED)[-1].data
    assert (recorded["outcome"], recorded["note"]) == ("unreachable", "no answer")
    for outcome in (ContactOutcome.SOLVED, NOT_SOLVED):
        assert "unreachable" in str(refusal_of(life, "record_contact", outcome=outcome))


def test_a_contact_meets_the_earliest_follow_up_due_within_seven_days() -> None:
    # rule 1.3
    life = followed_up(priority=Priority.HIGH)
    due = [d.due_at for d in life.deadlines("follow_up")]
    life.jump(to=due[0] - days(7)).do("record_contact")
    assert [d.status for d in life.deadlines("follow_up")] == [
        DeadlineStatus.MET,
        DeadlineStatus.RUNNING,
        DeadlineStatus.RUNNING,
    ]


def test_a_contact_more_than_seven_days_ahead_is_only_recorded() -> None:
    # rule 1.3
    life = followed_up()
    life.jump(to=life.deadline("follow_up").due_at - days(7) - MOMENT).do("record_contact", csat=4, nps=9)
    assert life.deadline("follow_up").status is DeadlineStatus.RUNNING
    assert (life.complaint.contact_outcome, life.complaint.csat, life.complaint.nps) == (
        ContactOutcome.SOLVED,
        4,
        9,
    )


def test_of_two_overdue_follow_ups_a_contact_meets_one() -> None:
    life = followed_up(priority=Priority.HIGH)
    life.jump(to=life.deadlines("follow_up")[1].due_at + days(1)).do("record_contact")
    assert [d.status for d in life.deadlines("follow_up")] == [
        DeadlineStatus.MET_LATE,
        DeadlineStatus.BREACHED,
        DeadlineStatus.RUNNING,
    ]


def test_unreachable_meets_the_attempt_and_starts_another_until_the_third() -> None:
    # rule 1.3
    life = followed_up()
    life.wait(to=life.deadline("follow_up").due_at)
    for attempt in (1, 2, 3):
        assert life.deadline("follow_up").attempt == attempt
        life.wait(to=life.deadline("follow_up").due_at).do("record_contact", outcome=UNREACHABLE)
    follow_ups = life.deadlines("follow_up")
    assert [(d.sequence, d.attempt, d.status) for d in follow_ups] == [
        (1, attempt, DeadlineStatus.MET) for attempt in (1, 2, 3)
    ]
    assert [d.due_at - follow_ups[0].due_at for d in follow_ups] == [days(0), days(3), days(6)]
    assert life.deadline("closure").status is DeadlineStatus.RUNNING


def test_a_retry_is_due_three_days_after_the_attempt_and_keeps_its_sequence() -> None:
    # rule 1.3
    life = followed_up(priority=Priority.URGENT)
    life.wait(to=life.deadlines("follow_up")[0].due_at).do("record_contact")
    life.wait(to=life.deadlines("follow_up", sequence=2)[0].due_at - days(2))
    life.do("record_contact", outcome=UNREACHABLE)
    retry = life.deadline("follow_up")
    assert (retry.sequence, retry.attempt, retry.due_at) == (2, 2, life.now + days(3))
    assert life.complaint.contact_outcome is ContactOutcome.SOLVED  # an unanswered call asks nobody


def test_unreachable_far_ahead_of_the_next_follow_up_starts_no_other_attempt() -> None:
    # rule 1.3
    life = followed_up().do("record_contact", outcome=UNREACHABLE)
    assert [(d.attempt, d.status) for d in life.deadlines("follow_up")] == [(1, DeadlineStatus.RUNNING)]


def test_not_solved_reopens_with_resolution_alone() -> None:
    # rule 1.2
    life = followed_up()
    life.jump(to=life.deadline("follow_up").due_at).do(
        "record_contact", outcome=NOT_SOLVED, note="Still no signal", csat=1
    )
    assert (life.status, life.complaint.cycle) == (Status.INVESTIGATING, 2)
    assert [(d.kind, d.started_at) for d in life.complaint.deadlines if d.cycle == 2] == [
        ("resolution", life.now)
    ]
    assert life.deadline("follow_up").status is DeadlineStatus.MET
    assert life.deadline("closure").status is DeadlineStatus.CANCELLED
    assert life.events_of(EventType.REOPENED)[-1].data["reason"] == "Still no signal"
    assert life.complaint.csat == 1


def test_not_solved_far_ahead_cancels_the_follow_up_it_did_not_meet() -> None:
    life = followed_up().jump(days=1).do("record_contact", outcome=NOT_SOLVED)
    assert life.deadline("follow_up").status is DeadlineStatus.CANCELLED
    assert life.events_of(EventType.REOPENED)[-1].data["reason"] == "not solved"


# reopen -----------------------------------------------------------------------------------------------------


def test_reopened_from_resolved_the_cycle_and_its_clocks_run_on() -> None:
    life = in_status(Status.RESOLVED).jump(hours=1)
    clocks = life.complaint.deadlines
    life.do("reopen", reason="Not what they asked for")
    assert (life.status, life.complaint.cycle) == (Status.INVESTIGATING, 1)
    assert life.complaint.deadlines == clocks
    assert life.complaint.resolved_at is None
    assert life.events_of(EventType.REOPENED)[-1].data["reason"] == "Not what they asked for"


@pytest.mark.parametrize("status", [Status.FOLLOWING_UP, Status.CLOSED, Status.REJECTED, Status.WITHDRAWN])
def test_reopened_later_a_new_cycle_starts_both_clocks(status: Status) -> None:
    # rule 1.2
    life = in_status(status).jump(days=5).do("reopen")
    started = [(d.kind, d.started_at, d.due_at) for d in life.complaint.deadlines if d.cycle == 2]
    assert started == [
        ("first_response", life.now, life.now + hours(24)),
        ("resolution", life.now, life.now + hours(48)),
    ]
    assert (life.status, life.complaint.cycle, life.complaint.ended_at) == (Status.INVESTIGATING, 2, None)
    assert (life.complaint.resolution, life.complaint.outcome, life.complaint.resolved_at) == (None,) * 3
    assert not any(d.unmet for d in life.complaint.deadlines if d.cycle == 1)


@pytest.mark.parametrize("status", [Status.CLOSED, Status.REJECTED, Status.WITHDRAWN])
def test_the_window_to_reopen_is_ninety_days_from_that_moment(status: Status) -> None:
    life = in_status(status)
    ended_at = life.complaint.ended_at
    assert ended_at == life.now
    life.jump(days=90, microseconds=1)
    assert "recurrence_of" in str(refusal_of(life, "reopen"))
    refused_because = verdict_on(life, Action.REOPEN).refused_because
    assert refused_because is not None
    assert "recurrence_of" in refused_because
    life.jump(to=ended_at + days(90)).do("reopen")
    assert life.status is Status.INVESTIGATING


def test_while_followed_up_no_window_ends() -> None:
    life = followed_up().jump(days=200).do("reopen")
    assert life.status is Status.INVESTIGATING


def test_reopening_keeps_promises_and_cancels_the_rest() -> None:
    # rule 1.4
    life = followed_up()
    life.promise(life.now + days(3)).do("reopen")
    assert life.deadline("promise").status is DeadlineStatus.RUNNING
    assert {d.status for d in life.deadlines("follow_up")} == {DeadlineStatus.CANCELLED}
    assert life.deadline("closure").status is DeadlineStatus.CANCELLED


def test_the_second_cycle_lives_as_the_first() -> None:
    life = closable().do("close").jump(days=1).do("reopen").jump(hours=1).do("respond")
    assert life.deadline("first_response", cycle=2).status is DeadlineStatus.MET
    life.do("resolve").do("notify_result")
    assert [d.cycle for d in life.deadlines("follow_up")] == [1, 2]
    life.wait(to=life.deadline("follow_up").due_at).do("record_contact").do("close")
    assert life.status is Status.CLOSED


# close ------------------------------------------------------------------------------------------------------


def test_close_waits_until_the_window_is_over() -> None:
    life = followed_up()
    due_at = life.deadline("follow_up").due_at
    assert "still to be made" in str(refusal_of(life, "close"))
    life.wait(to=due_at - days(5)).do("record_contact")
    assert write_instant(due_at) in str(refusal_of(life, "close"))
    life.wait(to=due_at).do("close")
    assert (life.status, life.complaint.ended_at) == (Status.CLOSED, life.now)
    assert life.deadline("closure").status is DeadlineStatus.MET


def test_an_early_attempt_does_not_shorten_the_window() -> None:
    life = followed_up()
    due_at = life.deadline("follow_up").due_at
    life.wait(to=due_at - days(6)).do("record_contact", outcome=UNREACHABLE)
    life.wait(to=due_at - days(3)).do("record_contact")
    assert write_instant(due_at) in str(refusal_of(life, "close"))
    life.wait(to=due_at).do("close")


def test_close_when_the_attempts_are_used_up_and_nobody_answered() -> None:
    life = followed_up()
    for _ in range(3):
        life.wait(to=life.deadline("follow_up").due_at).do("record_contact", outcome=UNREACHABLE)
    life.do("close")
    assert life.status is Status.CLOSED


def test_the_last_answered_contact_must_have_been_solved() -> None:
    complaint = replace(closable().complaint, contact_outcome=NOT_SOLVED)
    for early in (False, True):
        assert "not solved" in str(close_refusal(complaint, START + days(90), early=early))


def test_an_open_promise_refuses_close_early_too() -> None:
    life = closable(roles=SUPERVISOR)
    life.promise(life.now + days(2))
    for carried in ({}, {"early": True, "message": "Fine", "contact_channel": ContactChannel.PHONE}):
        assert "promise" in str(refusal_of(life, "close", **carried))
    life.do("record_contact").do("close")
    assert life.status is Status.CLOSED


@pytest.mark.parametrize("outcome", Outcome)
def test_what_was_upheld_closes_with_its_root_cause(outcome: Outcome) -> None:
    life = Life().do("resolve", outcome=outcome).do("notify_result")
    life.wait(to=life.deadline("follow_up").due_at).do("record_contact")
    if outcome is not Outcome.NOT_UPHELD:
        assert fault_of(life, "close") == "/root_cause"
    life.do("close", root_cause="Old fibre")
    assert life.complaint.root_cause == "Old fibre"


def test_a_root_cause_on_record_will_do() -> None:
    life = Life().do("resolve", outcome=Outcome.UPHELD, root_cause="Old fibre").do("notify_result")
    life.wait(to=life.deadline("follow_up").due_at).do("record_contact").do("close")
    assert (life.status, life.complaint.root_cause) == (Status.CLOSED, "Old fibre")


def test_an_early_close_is_for_those_the_policy_names() -> None:
    life = followed_up()
    early = {"early": True, "message": "They confirmed", "contact_channel": ContactChannel.PHONE}
    with pytest.raises(Forbidden):
        life.do("close", **early)
    assert verdict_on(life, Action.CLOSE).allowed is False
    life.roles = SUPERVISOR
    assert verdict_on(life, Action.CLOSE).allowed is True
    assert "still to be made" in str(refusal_of(life, "close"))  # without saying so it is not early
    life.do("close", **early)
    assert life.status is Status.CLOSED
    assert life.deadline("follow_up").status is DeadlineStatus.CANCELLED
    recorded = life.events_of(EventType.CLOSED)[-1].data
    assert (recorded["early"], recorded["message"], recorded["contact_channel"]) == (
        True,
        "They confirmed",
        "phone",
    )


@pytest.mark.parametrize(
    ("carried", "pointer"),
    [
        ({"early": True, "contact_channel": ContactChannel.PHONE}, "/message"),
        ({"early": True, "message": "Confirmed"}, "/contact_channel"),
    ],
)
def test_an_early_close_carries_the_confirmation(carried: dict[str, Any], pointer: str) -> None:
    assert fault_of(followed_up(roles=SUPERVISOR), "close", **carried) == pointer


def test_an_early_close_too_has_its_root_cause() -> None:
    life = Life(roles=SUPERVISOR).do("resolve", outcome=Outcome.PARTLY_UPHELD).do("notify_result")
    early = {"early": True, "message": "Confirmed", "contact_channel": ContactChannel.PHONE}
    assert fault_of(life, "close", **early) == "/root_cause"
    with pytest.raises(InvalidContent) as refused:
        life.do("close", early=True)
    assert [fault.pointer for fault in refused.value.faults] == [
        "/message",
        "/contact_channel",
        "/root_cause",
    ]


# escalate ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", OPEN)
def test_escalate_by_hand_changes_neither_state_nor_version(status: Status) -> None:
    life = in_status(status)
    before = life.complaint
    life.jump(minutes=1).do("escalate", role=RecipientRole.DEPARTMENT_HEAD, reason="Press")
    assert life.complaint == before
    taken = life.escalations[-1]
    assert (taken.step, taken.level, taken.recipients, taken.reason) == ("manual", 2, ("sun",), "Press")
    assert (taken.deadline_id, taken.planned_at, taken.taken_at) == (None, life.now, life.now)
    recorded = life.events_of(EventType.ESCALATED)[-1]
    assert (recorded.actor, recorded.version, recorded.data["reason"]) == ("an", before.version, "Press")


@pytest.mark.parametrize(
    ("role", "level", "recipient"),
    [
        (RecipientRole.ASSIGNEE, 0, "an"),
        (RecipientRole.FIRST_OWNER, 0, "fei"),
        (RecipientRole.TEAM_LEAD, 1, "zhao"),
        (RecipientRole.DEPARTMENT_HEAD, 2, "sun"),
        (RecipientRole.EXECUTIVE, 3, "chen"),
    ],
)
def test_a_person_calls_on_any_role_as_often_as_they_like(
    role: RecipientRole, level: int, recipient: str
) -> None:
    life = Life().do("assign").do("escalate", role=role).do("escalate", role=role)
    assert [(e.level, e.recipients) for e in life.escalations] == [(level, (recipient,))] * 2
    assert len({e.id for e in life.escalations}) == 2


# reject, withdraw, merge ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.RECEIVED, Status.INVESTIGATING, Status.ON_HOLD])
def test_reject_tells_the_complainant_and_so_meets_both_clocks(status: Status) -> None:
    life = in_status(status).jump(hours=1).do("reject")
    assert {d.status for d in life.complaint.deadlines} == {DeadlineStatus.MET}
    assert (life.status, life.complaint.ended_at) == (Status.REJECTED, life.now)
    recorded = life.events_of(EventType.REJECTED)[-1].data
    assert (recorded["reason"], recorded["message"], recorded["contact_channel"]) == (
        "not_ours",
        "It is not ours.",
        "letter",
    )


@pytest.mark.parametrize("status", OPEN)
def test_withdraw_ends_it_and_its_clocks(status: Status) -> None:
    life = in_status(status)
    life.promise(life.now + days(1)).jump(hours=1).do("withdraw", reason="ClockResult away")
    assert (life.status, life.complaint.ended_at) == (Status.WITHDRAWN, life.now)
    assert not any(d.unmet for d in life.complaint.deadlines)
    assert life.complaint.current_hold is None
    assert life.events_of(EventType.WITHDRAWN)[-1].data["reason"] == "ClockResult away"


@pytest.mark.parametrize("status", OPEN)
def test_merge_is_for_good(status: Status) -> None:
    life = in_status(status).jump(hours=1).do("merge", into=UUID(int=77))
    assert (life.status, life.complaint.merged_into) == (Status.MERGED, UUID(int=77))
    assert not any(d.unmet for d in life.complaint.deadlines)
    assert not any(verdict.allowed for verdict in judge_actions(life.complaint, life.context()))


def other(**changes: Any) -> Complaint:
    return replace(Life().complaint, **({"id": UUID(int=77)} | changes))


@pytest.mark.parametrize(
    ("into", "facts", "reason"),
    [
        (other(), {}, None),
        (other(received_at=START - days(1)), {}, None),
        (other(id=Life().complaint.id), {}, "itself"),
        (other(received_at=START + MOMENT), {}, "later"),
        (other(status=Status.MERGED), {}, "not open"),
        (other(status=Status.CLOSED), {}, "not open"),
        (other(status=Status.ON_HOLD), {}, None),
        (other(status=Status.RESOLVED), {}, "reopen it first"),
        (other(status=Status.FOLLOWING_UP), {}, "reopen it first"),
        (other(), {"has_merged": True}, "chains"),
        (other(), {"same_complainant": False}, "incident"),
    ],
)
def test_what_a_complaint_may_be_merged_into(
    into: Complaint, facts: dict[str, bool], reason: str | None
) -> None:
    found = merge_refusal(Life().complaint, into, **({"same_complainant": True, "has_merged": False} | facts))
    assert (found is None) if reason is None else (found is not None and reason in found)


def test_who_may_close_early_is_in_the_policy() -> None:
    life = followed_up(policy=replace(HANDBOOK, early_close_roles=AGENT))
    life.do("close", early=True, message="Confirmed", contact_channel=ContactChannel.PHONE)
    assert life.status is Status.CLOSED
    assert AccessRole.AGENT not in HANDBOOK.early_close_roles


def test_local_time_of_the_builders() -> None:
    assert local("2026-01-05 09:00") == START


def test_rule_1_1_the_contact_channels() -> None:
    assert list(ContactChannel) == ["phone", "web", "app", "email", "sms", "social", "on_site", "letter"]
