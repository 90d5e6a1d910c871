"""Escalation: when each step of a ladder is due, and who hears of it (domain §3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from complaints.domain.complaint.facts import Deadline
from complaints.domain.policy.policy import DeadlineRule, Policy, Step
from complaints.domain.time import working_time
from complaints.domain.time.calendars import ALWAYS_OPEN, WorkCalendar
from complaints.domain.time.working_time import Pause, Unit

MOMENT = timedelta(microseconds=1)
_WORKING_UNITS = frozenset({Unit.OPEN_SECONDS, Unit.WORKING_DAYS})


@dataclass(frozen=True, slots=True)
class DeadlineTerms:
    """What a deadline's times are computed from, besides its start and target.

    `calendar` says when working time counts, `pauses` when the clock stood still or will.
    """

    rule: DeadlineRule
    calendar: WorkCalendar
    pauses: tuple[Pause, ...]


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step and when it is due; it is taken at `wake_at`: the first instant past due for the 100 % step."""

    step: Step
    planned_at: datetime
    wake_at: datetime


def plan_steps(deadline: Deadline, terms: DeadlineTerms, policy: Policy) -> list[PlannedStep]:
    """Every step of the deadline's ladder by planned time; one at or before the start is left out."""
    return _plan(terms.rule.ladder, deadline, terms, policy)


def _plan(
    steps: Sequence[Step], deadline: Deadline, terms: DeadlineTerms, policy: Policy
) -> list[PlannedStep]:
    times = zip(steps, _step_times(steps, deadline, terms, policy), strict=True)
    planned = [
        PlannedStep(step, at, _wake_at(at, deadline)) for step, at in times if at > deadline.started_at
    ]
    return sorted(planned, key=lambda p: p.planned_at)


def _wake_at(planned_at: datetime, deadline: Deadline) -> datetime:
    """The 100 % step is taken at the first instant past due."""
    return planned_at + MOMENT if planned_at == deadline.due_at else planned_at


def _step_times(
    steps: Sequence[Step], deadline: Deadline, terms: DeadlineTerms, policy: Policy
) -> list[datetime]:
    """When each of these steps is to be taken."""
    offsets, start = _fixed_offsets(deadline, terms, policy), deadline.started_at
    try:
        return [
            start + offsets[step.name] if step.name in offsets else _step_time(step, deadline, terms, policy)
            for step in steps
        ]
    except OverflowError:
        return [_step_time(step, deadline, terms, policy) for step in steps]  # which says what is wrong


def _fixed_offsets(deadline: Deadline, terms: DeadlineTerms, policy: Policy) -> Mapping[str, timedelta]:
    """From the start to each step: the same for every clock of this target that never stands still.

    Steps by local date are left out.
    """
    target, rule = deadline.target, terms.rule
    if target is None or terms.pauses or not working_time.never_stops(target, terms.calendar):
        return {}
    if (known := rule.step_offsets.get(target)) is None:
        known = rule.step_offsets[target] = {
            step.name: _step_time(step, deadline, terms, policy) - deadline.started_at
            for step in rule.ladder
            if step.offset_days is None
        }
    return known


def _step_time(step: Step, deadline: Deadline, terms: DeadlineTerms, policy: Policy) -> datetime:
    if step.share is not None:
        return _share_at(step, deadline, terms)
    if step.offset_days is not None:
        return working_time.shift_days(deadline.due_at, step.offset_days, policy.timezone)
    seconds = step.offset_seconds or 0
    calendar = choose_calendar(deadline, terms.calendar)
    if seconds < 0:
        return working_time.subtract_time(deadline.due_at, -seconds, calendar, terms.pauses)
    at = working_time.add_time(deadline.due_at, seconds, calendar)
    assert at is not None  # only an endless pause leaves a time open
    return at


def choose_calendar(deadline: Deadline, calendar: WorkCalendar) -> WorkCalendar:
    """The calendar of the deadline's own time: `calendar` where it counts working time, else always open."""
    counts_open_time = deadline.target is not None and deadline.target.unit in _WORKING_UNITS
    return calendar if counts_open_time else ALWAYS_OPEN


def _share_at(step: Step, deadline: Deadline, terms: DeadlineTerms) -> datetime:
    assert step.share is not None
    if step.share == 1:
        return deadline.due_at
    if deadline.target is None:
        return deadline.started_at + (deadline.due_at - deadline.started_at) * float(step.share)
    at = working_time.share_at(deadline.started_at, deadline.target, terms.calendar, terms.pauses, step.share)
    assert at is not None  # a hold always has an end
    return at


def find_next_wake_time(deadline: Deadline, terms: DeadlineTerms, policy: Policy) -> datetime | None:
    """When the next step not yet taken is to be taken; None at the top of the ladder."""
    start = deadline.started_at
    times = [
        at for at in _step_times(_remaining_steps(deadline, terms), deadline, terms, policy) if at > start
    ]
    return _wake_at(min(times), deadline) if times else None


def plan_remaining_steps(deadline: Deadline, terms: DeadlineTerms, policy: Policy) -> list[PlannedStep]:
    """The steps still to be taken, in order."""
    return _plan(_remaining_steps(deadline, terms), deadline, terms, policy)


def _remaining_steps(deadline: Deadline, terms: DeadlineTerms) -> Sequence[Step]:
    taken = deadline.steps_taken
    return [step for step in terms.rule.ladder if step.name not in taken] if taken else terms.rule.ladder
