"""The trial of a whole complaint: its deadlines with holds, their stretches of time and their ladders (rule 4.18)."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from complaints.domain.complaint.facts import Hold
from complaints.domain.policy.circumstances import Circumstances
from complaints.domain.rules.trial import plan_deadlines
from complaints.domain.vocabulary import HoldReason, Priority
from tests.domain.builders import HANDBOOK, START, WORKING, days, hours

NORMAL = Circumstances(priority=Priority.NORMAL)


def _hold(reason: HoldReason, length: timedelta) -> Hold:
    begun = START + hours(10)
    return Hold(UUID(int=1), 1, reason, begun, begun + length, begun + length)


@pytest.mark.parametrize(
    ("holds", "moved"),
    [
        ([], hours(0)),
        ([_hold(HoldReason.AWAITING_COMPLAINANT, hours(24))], hours(24)),
        ([_hold(HoldReason.AWAITING_COMPLAINANT, hours(100))], hours(72)),  # the budget of the rule
        ([_hold(HoldReason.OUTAGE, hours(24))], hours(0)),  # no reason of the rule
    ],
)
def test_a_hold_moves_what_its_reason_pauses(holds: list[Hold], moved: timedelta) -> None:
    # rule 4.18
    tried = {one.kind: one for one in plan_deadlines(HANDBOOK, START, told=NORMAL, holds=holds)}
    assert tried["first_response"].due_at == START + hours(24)
    assert tried["resolution"].due_at == START + hours(48) + moved
    assert tried["follow_up"].started_at == tried["resolution"].due_at
    result = tried["resolution"]
    paused = [one for one in result.segments if one.reason == "paused"]
    assert sum((one.end - one.start for one in paused if one.end), timedelta()) == moved
    assert result.segments[-1].end == result.due_at
    assert [one.step.name for one in result.steps] == ["50%", "80%", "100%", "+12h", "+24h"]
    assert result.steps[2].planned_at == result.due_at


def test_the_closure_follows_the_last_follow_up_with_its_own_ladder() -> None:
    # rule 4.18
    tried = plan_deadlines(WORKING, START, told=Circumstances(priority=Priority.URGENT))
    follow_ups = [one for one in tried if one.kind == "follow_up"]
    closure = tried[-1]
    assert [one.sequence for one in follow_ups] == [1, 2, 3]
    assert closure.due_at - follow_ups[-1].due_at > days(4)
    assert {one.reason.partition(":")[0] for one in closure.segments} >= {"elapsed", "open", "closed"}
    assert all(isinstance(step.planned_at, datetime) for step in closure.steps)
