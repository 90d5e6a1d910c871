"""Whole lives at random: what holds of every complaint after every change, however often anybody looked."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from complaints.domain.complaint.change import recorded_changes, recorded_deadline
from complaints.domain.complaint.facts import Complaint, Deadline
from complaints.domain.complaint.history import fold
from complaints.domain.errors import InvalidContent, TransitionRefused
from complaints.domain.policy.policy import Policy, TargetChoice
from complaints.domain.rules import deadlines
from complaints.domain.rules.actions import judge_actions
from complaints.domain.rules.lifecycle import list_transitions
from complaints.domain.time.working_time import Target, Unit
from complaints.domain.vocabulary import (
    Action,
    ContactChannel,
    ContactOutcome,
    DeadlineKind,
    DeadlineStatus,
    HoldReason,
    Outcome,
    Priority,
    Status,
)
from tests.domain.builders import (
    HANDBOOK,
    START,
    SUPERVISOR,
    WORKING,
    Life,
    hours,
    with_rule,
    without_step_actions,
)
from tests.domain.test_own_deadlines import HOUSE
from tests.examples import examples

BY_PRIORITY = (
    TargetChoice(Target(10 * 3600, Unit.ELAPSED_SECONDS), priority=Priority.URGENT),
    TargetChoice(Target(20 * 3600, Unit.ELAPSED_SECONDS), priority=Priority.HIGH),
    TargetChoice(Target(48 * 3600, Unit.ELAPSED_SECONDS)),
)
# Everything pauses on every hold, for 30 hours a cycle.
PAUSING = with_rule(
    with_rule(
        HANDBOOK, DeadlineKind.FIRST_RESPONSE, pauses_on=frozenset(HoldReason), pause_budget_seconds=30 * 3600
    ),
    DeadlineKind.RESOLUTION,
    pauses_on=frozenset(HoldReason),
    pause_budget_seconds=30 * 3600,
    targets=BY_PRIORITY,
)
POLICIES = {
    policy.code: policy
    for policy in (HANDBOOK, WORKING, replace(PAUSING, code="pausing"), replace(HOUSE, code="house"))
}


@dataclass(frozen=True)
class Turn:
    """Time that passes, then something that happens, unless it is `idle`.

    `choice` and `detail` choose among what is possible then.
    """

    pause: str
    amount: int
    idle: bool
    choice: int
    detail: int


# To the instant of the next due time, or of the engine's next step, or so many hours or days on.
turns = st.builds(
    Turn,
    st.sampled_from(["due", "wake", "none", "minutes", "hours", "hours", "hours", "days"]),
    st.integers(0, 40),
    st.sampled_from([False, False, True]),
    st.integers(0, 2**16),
    st.integers(0, 2**16),
)
starts = st.fixed_dictionaries(
    {
        "policy": st.sampled_from(sorted(POLICIES)),
        "priority": st.sampled_from(Priority),
        "backdated_hours": st.sampled_from([0, 0, 0, 5, 30, 100]),
        "imported": st.booleans(),
    }
)


def begin(start: dict[str, Any], policy: Policy | None = None) -> Life:
    return Life(
        policy=policy or POLICIES[start["policy"]],
        priority=start["priority"],
        imported=start["imported"],
        received_at=START - hours(start["backdated_hours"]),
        roles=SUPERVISOR,
    )


def passed(life: Life, turn: Turn) -> timedelta:
    """How long nothing happens before the turn."""
    if turn.pause in ("due", "wake"):
        ahead = [d.due_at if turn.pause == "due" else d.wake_at for d in life.complaint.deadlines if d.unmet]
        return min((at for at in ahead if at and at > life.now), default=life.now) - life.now
    return timedelta(**{turn.pause: turn.amount}) if turn.pause != "none" else timedelta()


def carried(action: Action, life: Life, detail: int) -> dict[str, Any]:
    """What the action carries, by `detail`, where that makes a difference."""
    match action:
        case Action.ASSIGN:
            return {"team": ["operations", "customer_service", None][detail % 3]}
        case Action.HOLD:
            return {"reason": list(HoldReason)[detail % 3], "until": life.now + hours(1 + detail % 168)}
        case Action.RESOLVE:
            return {"outcome": list(Outcome)[detail % 3], "root_cause": [None, "Old fibre"][detail % 2]}
        case Action.RECORD_CONTACT:
            return {"outcome": list(ContactOutcome)[detail % 3]}
        case Action.CLOSE:
            confirmation = {"early": True, "message": "Confirmed", "contact_channel": ContactChannel.PHONE}
            return {"root_cause": "Old fibre"} | (confirmation if detail % 2 else {})
        case _:
            return {}


RARE = (Action.ASSIGN, Action.ESCALATE, Action.WITHDRAW, Action.MERGE, Action.REJECT, "replan")


def take(life: Life, turn: Turn) -> None:
    """Take one of the actions allowed now, or change something, or only look."""
    life.sweep()
    possible: list[Action | str] = [
        r.action for r in judge_actions(life.complaint, life.context()) if r.allowed
    ]
    if life.complaint.open:
        possible += ["promise", "priority", "replan"]
    if turn.detail % 5:  # else most lives would end soon, or stand still
        possible = [chosen for chosen in possible if chosen not in RARE]
    if not possible:
        return
    match possible[turn.choice % len(possible)]:
        case Action() as action:
            act(life, action, turn.detail)
        case "promise":
            life.promise(life.now + hours(1 + turn.detail % 100))
        case "priority":
            life.change(priority=list(Priority)[turn.detail % 4])
        case "replan":
            life.replan(replace(life.policy, version=life.policy.version + 1))


def act(life: Life, action: Action, detail: int) -> None:
    before, arguments = life.complaint, carried(action, life, detail)
    try:
        life.do(action, **arguments)
    except (
        TransitionRefused,
        InvalidContent,
    ):  # an answered contact before the result, a close without early
        assert action in (Action.RECORD_CONTACT, Action.CLOSE)
        assert life.complaint == before
        return
    assert (action, before.status, life.status) in list_transitions()
    is_change = action is not Action.ESCALATE and not is_same_attempt(before, life.now, arguments)
    assert life.complaint.version == before.version + is_change


def is_same_attempt(before: Complaint, now: datetime, arguments: dict[str, Any]) -> bool:
    """Rule 1.10: nobody was reached, again within 10 minutes."""
    last = before.unreachable_at
    is_near = last is not None and now - last < timedelta(minutes=10)
    return is_near and arguments.get("outcome") == ContactOutcome.UNREACHABLE


# What holds always ------------------------------------------------------------------------------------------


def check(life: Life) -> None:
    """The invariants, once the complaint is brought up to now."""
    wake_at = life.complaint.wake_at
    assert wake_at is None or wake_at > life.now
    for deadline in life.complaint.deadlines:
        check_clock(deadline, life)
    check_nothing_forgotten(life)
    check_steps(life)
    check_history(life)


def check_clock(deadline: Deadline, life: Life) -> None:
    met_at, due_at = deadline.met_at, deadline.due_at
    match deadline.status:
        case DeadlineStatus.RUNNING:
            assert due_at >= life.now
            assert deadline.breached_at is None
        case DeadlineStatus.PAUSED:
            hold = life.complaint.current_hold
            assert hold
            assert deadline.paused_until
            assert life.now < deadline.paused_until <= min(hold.until_at, due_at)
        case DeadlineStatus.BREACHED:
            assert deadline.breached_at
            assert due_at <= deadline.breached_at <= life.now
            assert due_at < life.now
        case DeadlineStatus.MET:
            assert met_at
            assert met_at <= due_at
            assert deadline.breached_at is None
        case DeadlineStatus.MET_LATE:
            assert met_at
            assert deadline.breached_at
            assert due_at <= deadline.breached_at <= met_at
    assert (met_at is not None) is (deadline.status in (DeadlineStatus.MET, DeadlineStatus.MET_LATE))
    assert deadline.unmet or (deadline.wake_at, deadline.paused_until) == (None, None)
    segments = deadlines.explain_due_time(deadline, life.complaint, life.policy)
    assert (segments[0].start, segments[-1].end) == (deadline.started_at, due_at)
    assert all(one.end == two.start for one, two in pairwise(segments))


def check_nothing_forgotten(life: Life) -> None:
    """Rules 2.11 and 2.12."""
    unmet = [d for d in life.complaint.deadlines if d.unmet]
    if not life.complaint.open:
        assert not unmet
        assert life.complaint.wake_at is None
        assert life.complaint.ended_at is not None
        return
    assert any(d.wake_at or (d.status is DeadlineStatus.BREACHED and is_at_its_top(d, life)) for d in unmet)
    assert life.complaint.first_owner
    assert (life.complaint.current_hold is not None) is (life.status is Status.ON_HOLD)


def is_at_its_top(deadline: Deadline, life: Life) -> bool:
    last = life.policy.rules[deadline.kind].ladder[-1]
    return last.name in deadline.steps_taken


def check_steps(life: Life) -> None:
    """Rules 3.1 to 3.4: each once, none before its time, in order, and all that have passed."""
    for deadline in life.complaint.deadlines:
        taken = [e for e in life.escalations if e.deadline_id == deadline.id]
        ladder = [step.name for step in life.policy.rules[deadline.kind].ladder]
        places = [ladder.index(e.step) for e in taken]
        assert places == sorted(set(places))
        assert tuple(e.step for e in taken) == deadline.steps_taken
        assert deadline.level == max((e.level for e in taken), default=0)
        if deadline.status is DeadlineStatus.BREACHED:
            assert "100%" in deadline.steps_taken
    assert all(e.planned_at <= e.taken_at <= life.now for e in life.escalations)
    taken_at = [e.taken_at for e in life.escalations]
    assert taken_at == sorted(taken_at)


def check_history(life: Life) -> None:
    complaint = life.complaint
    state = recorded_changes(None, complaint), {str(d.id): recorded_deadline(d) for d in complaint.deadlines}
    assert fold(event.data for event in life.events) == state
    versions = [event.version for event in life.events]
    assert versions == sorted(versions)
    assert set(versions) == set(range(1, complaint.version + 1))


@settings(max_examples=examples(35))
@given(starts, st.lists(turns, max_size=14))
def test_after_every_change_everything_holds(start: dict[str, Any], taken: list[Turn]) -> None:
    life = begin(start)
    check(life)
    for turn in taken:
        life.jump(to=life.now + passed(life, turn))
        if not turn.idle:
            take(life, turn)
        check(life.sweep())
    check(life.jump(days=400).sweep())


# However often anybody looked -------------------------------------------------------------------------------


def outcome(life: Life) -> Any:
    """What became of every clock, and which steps were taken, when they should have been."""
    keys = {d.id: (d.kind, d.cycle, d.sequence, d.attempt) for d in life.complaint.deadlines}
    clocks = {
        keys[d.id]: (d.status, d.started_at, d.due_at, d.met_at, d.breached_at, d.paused_seconds, d.level)
        for d in life.complaint.deadlines
    }
    steps = {(keys[e.deadline_id], e.step, e.planned_at) for e in life.escalations if e.deadline_id}
    holds = [(h.reason, h.started_at, h.until_at, h.ended_at) for h in life.complaint.holds]
    return life.status, life.complaint.cycle, clocks, steps, holds


@settings(max_examples=examples(20))
@given(starts, st.lists(turns, max_size=12), st.integers(1, 200))
def test_it_does_not_matter_how_often_anybody_looked(
    start: dict[str, Any], taken: list[Turn], every_hours: int
) -> None:
    policy = without_step_actions(POLICIES[start["policy"]])  # what a step does, it does when it is taken
    at_each_time, now_and_then, never = (begin(start, policy) for _ in range(3))
    for turn in [*taken, Turn("days", 60, True, 0, 0)]:
        end = at_each_time.now + passed(at_each_time, turn)
        at_each_time.wait(to=end)
        while now_and_then.now + hours(every_hours) < end:
            now_and_then.jump(hours=every_hours).sweep()
        now_and_then.jump(to=end)
        never.jump(to=end)
        if not turn.idle:
            for life in (at_each_time, now_and_then, never):
                take(life, turn)
    for life in (at_each_time, now_and_then, never):
        life.sweep()
    assert outcome(now_and_then) == outcome(at_each_time)
    assert outcome(never) == outcome(at_each_time)


@settings(max_examples=examples(20))
@given(starts, st.lists(turns, max_size=8), st.integers(0, 60), st.lists(turns, max_size=4))
def test_rule_1_9_an_undone_merge_is_as_if_it_had_not_been(
    start: dict[str, Any], taken: list[Turn], minutes: int, later: list[Turn]
) -> None:
    policy = without_step_actions(POLICIES[start["policy"]])
    merged, spared = begin(start, policy), begin(start, policy)
    for turn in taken:
        for life in (merged, spared):
            life.jump(to=life.now + passed(life, turn))
            take(life, replace(turn, detail=turn.detail * 5 + 1))  # no life ends
    if not spared.complaint.open:
        return
    spared.jump(minutes=minutes).sweep()
    merged.do("merge").jump(minutes=minutes).do("unmerge")
    check(merged)
    assert outcome(merged) == outcome(spared)
    for turn in later:
        for life in (merged, spared):
            life.jump(to=life.now + passed(life, turn))
            take(life, turn)
    assert outcome(merged) == outcome(spared)


@settings(max_examples=examples(30))
@given(starts, st.lists(turns, max_size=8), st.integers(0, 200))
def test_the_clock_tells_the_same_unswept(
    start: dict[str, Any], taken: list[Turn], hours_unseen: int
) -> None:
    life = begin(start)
    for turn in taken:
        life.jump(to=life.now + passed(life, turn))
        if not turn.idle:
            take(life, turn)
    life.jump(hours=hours_unseen)
    seen = {d.id: deadlines.catch_up_status(d, life.now) for d in life.complaint.deadlines}
    overdue = life.overdue()
    life.policy = without_step_actions(life.policy)
    life.sweep()
    for deadline in life.complaint.deadlines:
        before = seen[deadline.id]
        assert (before.status, before.due_at, before.breached_at) == (
            deadline.status,
            deadline.due_at,
            deadline.breached_at,
        )
    assert overdue == any(d.status is DeadlineStatus.BREACHED for d in life.complaint.deadlines)
    assert overdue == life.overdue()
