"""The times of the steps of a ladder (domain §3)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import NamedTuple
from uuid import UUID

from complaints.domain.complaint.facts import Deadline
from complaints.domain.instants import MOMENT
from complaints.domain.policy.policy import DeadlineRule, Policy, Step
from complaints.domain.rules.repetitions import MARK, plan_repetitions
from complaints.domain.time import local_dates, working_time
from complaints.domain.time.calendars import ALWAYS_OPEN, WorkCalendar
from complaints.domain.time.working_time import Pause, Target, Unit
from complaints.domain.vocabulary import DeadlineStatus

MOST_REPETITIONS = 20
"""So many repetitions of a deadline are taken together. After a long downtime the others follow."""

_MOST_KNOWN = 200
"""A rule keeps the times of the steps of so many deadlines."""

_OF_NO_COMPLAINT = UUID(int=0)
_WORKING_UNITS = frozenset({Unit.OPEN_SECONDS, Unit.WORKING_DAYS})


class DeadlineTerms(NamedTuple):
    """The rule, calendar and pauses of a deadline. Its times follow from them, its start and its target.

    `calendar` says when working time counts. `pauses` are the past and planned pauses of the deadline. The complaint
    is on record since `recorded_at`.
    """

    rule: DeadlineRule
    calendar: WorkCalendar
    pauses: tuple[Pause, ...]
    recorded_at: datetime


class PlannedStep(NamedTuple):
    """A step with its planned time. It is taken at `wake_at`: for the 100 % step just after the due time.

    `repetition` is the number of the repetition, 0 for the step itself.
    """

    step: Step
    planned_at: datetime
    wake_at: datetime
    repetition: int = 0


def imagine_deadline(
    policy: Policy,
    kind: str,
    *,
    start: datetime,
    due_at: datetime,
    target: Target | None,
    sequence: int = 1,
) -> Deadline:
    """A running deadline of no complaint, by which the steps of a policy are tried."""
    return Deadline(
        id=_OF_NO_COMPLAINT,
        policy_code=policy.code,
        policy_version=policy.version,
        kind=kind,
        cycle=1,
        sequence=sequence,
        attempt=1,
        status=DeadlineStatus.RUNNING,
        started_at=start,
        target=target,
        due_at=due_at,
    )


def plan_steps(deadline: Deadline, terms: DeadlineTerms, policy: Policy) -> list[PlannedStep]:
    """All steps of the deadline's ladder, by planned time, without repetitions.

    A step at or before the start is left out.
    """
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
    """The time at which a step is taken. The 100 % step is taken at the first instant after the due time."""
    return planned_at + MOMENT if planned_at == deadline.due_at else planned_at


def _step_times(
    steps: Sequence[Step], deadline: Deadline, terms: DeadlineTerms, policy: Policy
) -> list[datetime]:
    """The planned times of these steps."""
    offsets, start = _fixed_offsets(deadline, terms, policy), deadline.started_at
    if not offsets:
        known = _known_times(deadline, terms, policy)
        for step in steps:
            if step.name not in known:
                known[step.name] = _step_time(step, deadline, terms, policy)
        return [known[step.name] for step in steps]
    try:
        return [
            start + offsets[step.name] if step.name in offsets else _step_time(step, deadline, terms, policy)
            for step in steps
        ]
    except OverflowError:
        return [
            _step_time(step, deadline, terms, policy) for step in steps
        ]  # raises an error that explains the fault


def _known_times(deadline: Deadline, terms: DeadlineTerms, policy: Policy) -> dict[str, datetime]:
    """The planned times that are known of a deadline whose time may stop, by step name.

    The rule keeps those of the last deadlines: each look at a deadline asks for them several times.
    """
    known = terms.rule.step_times
    key = (deadline.started_at, deadline.due_at, deadline.target, terms.pauses, policy.timezone)
    if key not in known:
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known[key] = {}
    return known[key]


def _fixed_offsets(deadline: Deadline, terms: DeadlineTerms, policy: Policy) -> Mapping[str, timedelta]:
    """The time from the start to each step, by step name.

    It is the same for all deadlines with this target if their time never stops, so the rule keeps it. Steps
    by local date are left out. For other deadlines the answer is empty.
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
        return local_dates.shift_days(deadline.due_at, step.offset_days, policy.timezone)
    seconds = step.offset_seconds or 0
    calendar = choose_calendar(deadline, terms.calendar)
    if seconds < 0:
        return working_time.subtract_time(deadline.due_at, -seconds, calendar, terms.pauses)
    at = working_time.add_time(deadline.due_at, seconds, calendar)
    assert at is not None  # only an endless pause leaves a time open
    return at


def choose_calendar(deadline: Deadline, calendar: WorkCalendar) -> WorkCalendar:
    """The calendar in which the deadline counts: `calendar` for working time, otherwise always open."""
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
    """The time of the next step that is not taken yet. None if all steps are taken, and the last does not repeat.

    While a deadline runs, the steps after its due time are left out: its breach comes before them.
    """
    start, remaining = deadline.started_at, _remaining_steps(deadline, terms)
    is_running = deadline.status is DeadlineStatus.RUNNING
    next_ones = [step for step in remaining if not _follows_due_time(step)] if is_running else remaining
    times = [at for at in _step_times(next_ones, deadline, terms, policy) if at > start]
    last = terms.rule.ladder[-1]
    if last.repeat is not None and last not in remaining:
        times += [p.planned_at for p in islice(_plan_repetitions(deadline, terms, policy), 1)]
    return _wake_at(min(times), deadline) if times else None


def _follows_due_time(step: Step) -> bool:
    return (step.offset_seconds or step.offset_days or 0) > 0


def plan_remaining_steps(
    deadline: Deadline, terms: DeadlineTerms, policy: Policy, *, repetitions_until: datetime | None = None
) -> list[PlannedStep]:
    """The steps that are not taken yet, by planned time.

    The next repetition is one of them. With `repetitions_until`, all repetitions up to this time are, but at most one
    more than `MOST_REPETITIONS`.
    """
    planned = _plan(_remaining_steps(deadline, terms), deadline, terms, policy)
    repetitions = _plan_repetitions(deadline, terms, policy)
    if repetitions_until is None:
        repetitions = islice(repetitions, 1)
    else:
        passed = takewhile(lambda p: p.planned_at <= repetitions_until, repetitions)
        repetitions = islice(passed, MOST_REPETITIONS + 1)
    return sorted([*planned, *repetitions], key=lambda p: p.planned_at)


def _remaining_steps(deadline: Deadline, terms: DeadlineTerms) -> Sequence[Step]:
    taken = deadline.steps_taken
    return [step for step in terms.rule.ladder if step.name not in taken] if taken else terms.rule.ladder


def _plan_repetitions(deadline: Deadline, terms: DeadlineTerms, policy: Policy) -> Iterator[PlannedStep]:
    """The repetitions that are not taken yet, in order. Empty if no step repeats, or if a user acknowledged it.

    A repetition notifies again. It does nothing else, whatever the step does (rule 3.9).
    """
    last = terms.rule.ladder[-1]
    if last.repeat is None or deadline.acknowledged_at is not None:
        return
    again = replace(last, raise_priority=False, move_to_team=None)
    times = plan_repetitions(
        last.repeat,
        _step_time(last, deadline, terms, policy),
        taken=deadline.repetitions,
        recorded_at=terms.recorded_at,
        calendar=choose_calendar(deadline, terms.calendar),
        timezone=policy.timezone,
    )
    for number, at in times:
        yield PlannedStep(replace(again, name=f"{last.name}{MARK}{number}"), at, at, number)


def is_repeating(step_name: str, rule: DeadlineRule) -> bool:
    """True if this is the name of the step that repeats, or of one of its repetitions."""
    last = rule.ladder[-1]
    return last.repeat is not None and step_name.partition(MARK)[0] == last.name
