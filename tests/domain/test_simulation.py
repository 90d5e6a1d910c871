"""Simulations: lives at random, rerun under the policy that they had, and under another one."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from complaints.domain.json_text import to_json
from complaints.domain.policy.policy import Policy
from complaints.domain.simulation.past import History, PastEvent
from complaints.domain.simulation.rerun import rerun
from complaints.domain.simulation.simulated_complaint import SimulatedComplaint, SimulationTerms
from complaints.domain.simulation.staff_timeline import StaffTimeline, StaffVersion
from tests.domain.builders import DIRECTORY, START, Life
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
def test_rule_4_30_the_policy_in_force_reproduces_the_past(start: dict[str, Any], taken: list[Turn]) -> None:
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
