"""Simulations: lives at random, rerun under the policy that they had, and under another one."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from complaints.domain.json_text import to_json
from complaints.domain.policy.policy import Policy, TargetChoice
from complaints.domain.simulation.comparison import SimulationFigures
from complaints.domain.simulation.past import History, PastEvent
from complaints.domain.simulation.rerun import rerun
from complaints.domain.simulation.simulated_complaint import SimulatedComplaint, SimulationTerms
from complaints.domain.simulation.staff_timeline import StaffTimeline, StaffVersion
from complaints.domain.time.working_time import Target, Unit
from complaints.domain.vocabulary import (
    AssignmentMethod,
    ContactAfterEnd,
    DeadlineKind,
    DeadlineStatus,
    Priority,
    Status,
)
from tests.domain.builders import DIRECTORY, HANDBOOK, START, Life, days, hours, with_rule
from tests.domain.test_life_properties import Turn, begin, passed, starts, take, turns
from tests.examples import examples

VERSIONS = 20


def history_of(life: Life, *, imported: bool = False) -> History:
    """The history of a life, as the database has it."""
    events = [
        PastEvent(n, e.type, e.version, e.at, e.actor, to_json(e.data)) for n, e in enumerate(life.events)
    ]
    return History(
        id=UUID(int=0),
        sequence=1,
        received_at=life.complaint.received_at,
        is_imported=imported,
        is_vulnerable=False,
        wake_at=life.complaint.wake_at,
        events=events,
    )


def terms_of(life: Life, policies: Iterable[Policy], other: Policy | None = None) -> SimulationTerms:
    """Terms under which each complaint keeps its policy, or gets another one."""
    known = [replace(policy, version=n) for policy in policies for n in range(VERSIONS)]
    return SimulationTerms(
        policies={(policy.code, policy.version): policy for policy in known},
        staff=StaffTimeline([StaffVersion(START - timedelta(days=400), DIRECTORY, {})]),
        choose_policy=lambda _, policy: other or policy,
        until=life.now,
    )


def rerun_one(history: History, terms: SimulationTerms) -> SimulatedComplaint:
    [one] = rerun([history], terms).values()
    return one


@settings(max_examples=examples(40))
@given(starts, st.lists(turns, max_size=14))
@example(  # the engine looks exactly at a due time, which is also the time of a step, and then not for hours
    {"policy": "house", "priority": Priority.URGENT, "backdated_hours": 0, "imported": False},
    [Turn("wake", 0, False, 1, 1), Turn("due", 0, False, 1, 1), Turn("due", 0, False, 0, 0)],
)
@example(  # the engine looks one microsecond after the time of a step
    {"policy": "working-hours", "priority": Priority.HIGH, "backdated_hours": 0, "imported": False},
    [
        Turn("hours", 25, False, 0, 0),
        Turn("due", 0, False, 0, 0),
        Turn("wake", 0, False, 0, 0),
        Turn("hours", 1, False, 0, 0),
    ],
)
@example(  # a due time moves back to the time of a step that was taken late
    {"policy": "pausing", "priority": Priority.HIGH, "backdated_hours": 0, "imported": False},
    [Turn("due", 0, False, 284, 0)],
)
def test_rule_4_20_the_policy_in_force_reproduces_the_past(start: dict[str, Any], taken: list[Turn]) -> None:
    life = begin(start)
    original = life.policy
    for turn in taken:
        life.jump(to=life.now + passed(life, turn))
        if not turn.idle:
            take(life, turn)
    life.jump(days=40)
    history = history_of(life, imported=start["imported"])
    rerun = rerun_one(history, terms_of(life, [original]))
    assert rerun.course() == history.course()
    assert rerun.not_possible == []
    assert rerun.complaint.status == life.complaint.status


# Another policy ------------------------------------------------------------------------------------------------------

FASTER = replace(
    with_rule(
        HANDBOOK,
        DeadlineKind.FIRST_RESPONSE,
        targets=(TargetChoice(Target(12 * 3600, Unit.ELAPSED_SECONDS)),),
    ),
    hold_maximum=Target(1, Unit.CALENDAR_DAYS),
    version=VERSIONS,
)


def test_rule_4_20_the_engine_acts_by_the_other_policy() -> None:
    life = Life(policy=HANDBOOK).wait(hours=20).do("respond").wait(hours=1)
    one = rerun_one(history_of(life), terms_of(life, [HANDBOOK], FASTER))
    past, simulated = history_of(life).course(), one.course()
    key = next(key for key in past.deadlines if key.kind == DeadlineKind.FIRST_RESPONSE)
    assert past.deadlines[key].status is DeadlineStatus.MET
    assert simulated.deadlines[key].status is DeadlineStatus.MET_LATE
    assert simulated.deadlines[key].breached_at == START + hours(12)
    steps = {key.step: one.planned_at for key, one in simulated.steps.items()}
    assert {"50%": START + hours(6), "100%": START + hours(12)}.items() <= steps.items()


def test_rule_4_21_what_the_other_policy_refuses_is_listed_and_leaves_the_complaint() -> None:
    life = Life(policy=HANDBOOK).do("respond").do("hold", until=START + days(3)).wait(days=2).do("resume")
    life.do("resolve").wait(hours=1)
    one = rerun_one(history_of(life), terms_of(life, [HANDBOOK], FASTER))
    assert [refused.action for refused in one.not_possible] == ["hold", "resume"]
    assert "A hold lasts at most until" in one.not_possible[0].reason
    assert one.complaint.status is Status.RESOLVED
    assert one.complaint.holds == ()


def test_rule_1_20_an_assumed_outcome_is_assumed_again() -> None:
    life = Life(policy=HANDBOOK).do("resolve", outcome_assumed=True)
    assert rerun_one(history_of(life), terms_of(life, [HANDBOOK], FASTER)).complaint.outcome_assumed is True
    life.do("reopen").do("resolve")
    assert rerun_one(history_of(life), terms_of(life, [HANDBOOK], FASTER)).complaint.outcome_assumed is None


def test_rule_4_21_a_contact_that_would_be_a_new_complaint_is_listed() -> None:
    life = Life(policy=HANDBOOK).do("withdraw").wait(days=1)
    life.call()
    new = replace(FASTER, contact_after_end=ContactAfterEnd.NEW)
    assert life.status is Status.INVESTIGATING
    assert rerun_one(history_of(life), terms_of(life, [HANDBOOK])).complaint.status is Status.INVESTIGATING
    one = rerun_one(history_of(life), terms_of(life, [HANDBOOK], new))
    assert [refused.reason for refused in one.not_possible] == [
        "The contact would have become a new complaint."
    ]
    assert one.complaint.status is Status.WITHDRAWN


def test_rule_4_20_a_simulation_looks_as_late_as_the_engine_did() -> None:
    """The engine was down from hour 10 to hour 40. The step at hour 20 of the other policy waited too."""
    life = Life(policy=HANDBOOK).wait(hours=10).jump(hours=30).sweep().wait(hours=1)
    one = rerun_one(history_of(life), terms_of(life, [HANDBOOK], FASTER))
    steps = one.course().steps.items()
    taken = {
        key.step: taken
        for key, taken in steps
        if key.deadline and key.deadline.kind == DeadlineKind.FIRST_RESPONSE
    }
    assert taken["50%"].taken_at == START + hours(6)
    assert (taken["+12h"].planned_at, taken["+12h"].taken_at) == (START + hours(24), START + hours(40))
    assert [step for step, one in taken.items() if one.recipients and one.taken_at == START + hours(40)] == [
        "+24h"
    ]


def test_rule_4_23_an_assignment_by_policy_is_kept_in_the_same_team() -> None:
    """A simulation does not know the other complaints, so it cannot choose again."""
    assigning = replace(HANDBOOK, assignment={"customer_service": AssignmentMethod.ROUND_ROBIN})
    life = Life(policy=assigning)
    life.assign_by_policy("an")
    kept = rerun_one(history_of(life), terms_of(life, [assigning]))
    assert (kept.complaint.assignee, kept.assignments_left) == ("an", 0)
    other = {"customer_service": AssignmentMethod.FEWEST_OPEN}
    unknown = rerun_one(history_of(life), terms_of(life, [assigning], replace(FASTER, assignment=other)))
    assert (unknown.complaint.assignee, unknown.assignments_left) == (None, 1)
    none = rerun_one(history_of(life), terms_of(life, [assigning], FASTER))
    assert (none.complaint.assignee, none.assignments_left) == (None, 0)


@pytest.mark.parametrize(
    ("shifts", "median"),
    [
        ({}, None),
        ({5.0: 1}, 5.0),
        ({-3.0: 2, 9.0: 1}, -3.0),
        ({-3.0: 1, 9.0: 1}, -3.0),
        ({1.0: 1, 2.0: 1, 7.0: 1}, 2.0),
    ],
)
def test_rule_4_21_the_median_is_that_of_the_due_times_that_moved(
    shifts: dict[float, int], median: float | None
) -> None:
    figures = SimulationFigures(shifts=Counter({("closure", shift): n for shift, n in shifts.items()}))
    figures.add(SimulationFigures(shifts=Counter({("resolution", 1.0): 9})))
    assert figures.median_shift_seconds("closure") == median
