"""Repeating steps (rule 3.9), against an oracle that looks at every repetition."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from complaints.domain.policy.policy import Policy
from complaints.domain.rules.deadlines import end_repetitions
from complaints.domain.rules.ladder import MOST_REPETITIONS
from complaints.domain.rules.passing_time import catch_up
from complaints.domain.time.local_dates import shift_days
from complaints.domain.time.notation import parse_repeat
from complaints.domain.time.working_time import add_time
from complaints.domain.vocabulary import DeadlineKind, Priority, RecipientRole
from tests.domain.builders import HANDBOOK, START, WORKING, Life, days, hours, with_rule
from tests.examples import examples

KIND = DeadlineKind.FIRST_RESPONSE


def repeating(every: str, policy: Policy = HANDBOOK, **last: object) -> Policy:
    """The policy with a last step of the first response that repeats."""
    ladder = policy.rules[KIND].ladder
    again = replace(ladder[-1], repeat=parse_repeat(every), **last)  # type: ignore[arg-type]
    return with_rule(policy, KIND, ladder=(*ladder[:-1], again))


def acknowledge(life: Life, step: str) -> None:
    """As the use case does."""

    def plan(change):  # type: ignore[no-untyped-def]
        deadline = next(d for d in change.complaint.deadlines if d.kind is KIND)
        change.put_deadline(end_repetitions(deadline, change.complaint, life.policy, step, life.now))

    life._change(plan)


def repetitions(life: Life) -> list[tuple[str, datetime]]:
    return [(taken.step, taken.planned_at) for taken in life.steps(KIND) if "/" in taken.step]


def test_rule_3_9_the_last_step_repeats_until_the_deadline_is_met() -> None:
    life = Life(policy=repeating("24h")).wait(days=5)
    due_at = life.deadline(KIND).due_at
    assert repetitions(life) == [(f"+24h/{n}", due_at + hours(24) * (n + 1)) for n in (1, 2, 3)]
    assert [(e.level, e.recipients, e.superseded) for e in life.steps(KIND)[-3:]] == [
        (3, ("chen",), False)
    ] * 3
    assert life.deadline(KIND).wake_at == due_at + days(5)
    assert (life.deadline(KIND).steps_taken[-1], life.deadline(KIND).repetitions) == ("+24h", 3)
    life.do("respond").wait(days=5)
    assert len(repetitions(life)) == 3


def test_rule_3_9_days_keep_the_local_time_and_the_due_time_itself_may_repeat() -> None:
    ladder = (replace(HANDBOOK.rules[KIND].ladder[2], repeat=parse_repeat("1d")),)
    zone = replace(with_rule(HANDBOOK, KIND, ladder=ladder), timezone="Europe/Berlin")
    start = datetime.fromisoformat("2026-03-27T09:00:00+01:00")  # the clocks go forward on the 29th
    life = Life(policy=zone, now=start).wait(days=2)
    assert repetitions(life) == [("100%/1", datetime.fromisoformat("2026-03-29T09:00:00+02:00"))]


def test_rule_3_9_an_ended_complaint_repeats_nothing() -> None:
    life = Life(policy=repeating("1h")).wait(hours=50).do("withdraw")
    taken = len(repetitions(life))
    assert (taken, len(repetitions(life.wait(days=9)))) == (2, 2)


@pytest.mark.parametrize(
    ("step", "stops"), [("+24h", True), ("+24h/2", True), ("+12h", False), ("50%", False)]
)
def test_rule_3_9_acknowledging_the_step_or_a_repetition_ends_the_repetitions(step: str, stops: bool) -> None:
    life = Life(policy=repeating("6h")).wait(hours=24 + 24 + 13)
    assert [name for name, _ in repetitions(life)] == ["+24h/1", "+24h/2"]
    acknowledge(life, step)
    assert (life.deadline(KIND).wake_at is None) is stops
    life.wait(hours=6)
    assert len(repetitions(life)) == (2 if stops else 3)


def test_rule_3_9_a_repetition_notifies_and_does_nothing_else() -> None:
    policy = repeating("24h", raise_priority=True, move_to_team="operations")
    life = Life(policy=policy, priority=Priority.LOW).wait(hours=49).do("assign", team="customer_service")
    life.wait(days=3)
    assert (life.complaint.priority, life.complaint.team) == (Priority.NORMAL, "customer_service")
    assert len(repetitions(life)) == 3


def test_rule_3_9_a_complaint_that_sleeps_for_a_year_is_caught_up_in_parts() -> None:
    life = Life(policy=repeating("1h")).jump(days=365)
    rounds, expected = 0, 365 * 24 - 48
    while life.complaint.wake_at is not None and life.complaint.wake_at <= life.now:
        before = len(life.escalations)
        change = life.new_change()
        catch_up(change, life.policy, life.directory, life.now, in_parts=True)
        life._keep(change)
        rounds += 1
        assert len(life.escalations) - before <= MOST_REPETITIONS + 10
    taken = life.steps(KIND)
    assert rounds == -(-expected // MOST_REPETITIONS)
    assert [e.step for e in taken if "/" in e.step] == [f"+24h/{n}" for n in range(1, expected + 1)]
    assert [e.step for e in taken if not e.superseded] == [f"+24h/{expected}"]
    assert life.deadline(KIND).steps_taken == ("50%", "80%", "100%", "+12h", "+24h")
    whole = Life(policy=repeating("1h")).jump(days=365).sweep()
    assert [(e.step, e.planned_at, e.recipients) for e in whole.steps(KIND)] == [
        (e.step, e.planned_at, e.recipients) for e in taken
    ]


@pytest.mark.parametrize(("every", "first"), [("1h", 24 * 98 + 1), ("1d", 99), ("5h", 24 * 98 // 5 + 1)])
def test_rule_3_9_repetitions_before_the_complaint_was_on_record_are_left_out(every: str, first: int) -> None:
    life = Life(policy=repeating(every), received_at=START - days(100))
    assert [e.step for e in life.steps(KIND)] == ["50%", "80%", "100%", "+12h", "+24h"]
    life.wait(days=1)
    assert repetitions(life)[0][0] == f"+24h/{first}"


def test_rule_3_9_another_last_step_is_counted_from_its_first_repetition() -> None:
    life = Life(policy=repeating("24h")).wait(days=4)
    steps = HANDBOOK.rules[KIND].ladder
    later = replace(steps[-1], name="+48h", offset_seconds=48 * 3600, repeat=parse_repeat("24h"))
    life.replan(replace(with_rule(HANDBOOK, KIND, ladder=(*steps[:-1], later)), version=2)).wait(days=1)
    assert [name for name, _ in repetitions(life)] == ["+24h/1", "+24h/2", "+48h/1", "+48h/2"]


@settings(max_examples=examples(40), deadline=None)
@given(
    every=st.sampled_from(["60m", "90m", "7h", "24h", "1d", "3d"]),
    works=st.booleans(),
    looks=st.lists(st.integers(1, 200), min_size=1, max_size=6),
    acknowledged=st.integers(0, 12),
)
def test_rule_3_9_every_repetition_is_taken_once_in_order_and_the_highest_notifies(
    every: str, works: bool, looks: list[int], acknowledged: int
) -> None:
    """The oracle adds the whole time for each repetition; the product goes from one to the next."""
    policy = repeating(every, WORKING if works else HANDBOOK)
    life = Life(policy=policy)
    for look, pause in enumerate(looks):
        life.jump(hours=pause).sweep()
        if look == acknowledged:
            acknowledge(life, policy.rules[KIND].ladder[-1].name)
            break
    assert repetitions(life) == _expected(life, every)
    for taken_at in {e.taken_at for e in life.steps(KIND)}:
        together = [e for e in life.steps(KIND) if e.taken_at == taken_at]
        top = max(together, key=lambda e: (e.level, e.planned_at))
        assert [e for e in together if not e.superseded] == [top]
    deadline = life.deadline(KIND)
    assert deadline.wake_at is None or deadline.wake_at > life.now


def _expected(life: Life, every: str) -> list[tuple[str, datetime]]:
    last, repeat = life.policy.rules[KIND].ladder[-1], parse_repeat(every)
    base = next((e.planned_at for e in life.steps(KIND) if e.step == last.name), None)
    found: list[tuple[str, datetime]] = []
    while base is not None:
        number = len(found) + 1
        if repeat.days is not None:
            at = shift_days(base, repeat.days * number, life.policy.timezone)
        else:
            calendar = life.policy.rules[KIND].calendar
            at = add_time(base, (repeat.seconds or 0) * number, calendar) or base
        if at > life.now:
            break
        found.append((f"{last.name}/{number}", at))
    return found


def test_roles_of_a_repetition_are_found_when_it_is_taken() -> None:
    life = Life(policy=repeating("24h", notify=(RecipientRole.TEAM_LEAD,))).wait(days=3, hours=1)
    life.do("assign", team="operations").wait(days=1)
    assert [e.recipients for e in life.steps(KIND) if "/" in e.step] == [("zhao",), ("li",)]
    assert timedelta(0) == life.steps(KIND)[-1].taken_at - life.steps(KIND)[-1].planned_at
