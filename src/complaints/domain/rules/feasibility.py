"""Times that a policy can never compute: a target or a step that no calendar reaches (rule 4.6)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from complaints.domain.errors import ComplaintError
from complaints.domain.policy.checks import Place, PlacedFault
from complaints.domain.policy.policy import DeadlineRule, Policy, Step
from complaints.domain.rules.ladder import DeadlineTerms, imagine_deadline, plan_steps
from complaints.domain.time.working_time import Pause, Target, Unit, always_open, due_at
from complaints.domain.vocabulary import DeadlineKind

_MOST_YEARS = 150  # more than ten years ten times over, the longest place of a step
_LAST_INSTANT = datetime(9999, 12, 1, tzinfo=UTC)


def infeasible_faults(policy: Policy, instants: Iterable[datetime]) -> Iterator[PlacedFault]:
    """The targets and steps that cannot be computed from one of these instants, after the longest hold.

    Only the longest target of each unit is tried, and the outermost steps of each ladder: the others come sooner.
    """
    starts = sorted(set(instants))
    for place, kind, target in _longest_targets(policy):
        for start in starts:
            fault = _find_fault(policy, kind, target, start, place)
            if fault is not None:
                yield fault
                break


def _longest_targets(policy: Policy) -> Iterator[tuple[Place, str, Target]]:
    """The places of the targets, their kinds of deadline, and the targets."""
    for kind, rule in policy.rules.items():
        for index in _longest_of_units([choice.target for choice in rule.targets]):
            yield ("deadlines", kind, "targets", index, "target"), kind, rule.targets[index].target
    for priority, plan in policy.follow_ups.items():
        for index in _longest_of_units(plan):
            yield ("follow_ups", priority, index), DeadlineKind.FOLLOW_UP, plan[index]
    for number, choice in enumerate(policy.follow_ups_where):
        for index in _longest_of_units(choice.plan):
            yield ("follow_ups_where", number, "plan", index), DeadlineKind.FOLLOW_UP, choice.plan[index]
    for index in _longest_of_units([choice.target for choice in policy.closure_where]):
        place = ("closure_where", index, "target")
        yield place, DeadlineKind.CLOSURE, policy.closure_where[index].target
    yield ("unreachable_retry",), DeadlineKind.FOLLOW_UP, policy.unreachable_retry
    yield ("closure",), DeadlineKind.CLOSURE, policy.closure


def _longest_of_units(targets: Sequence[Target]) -> Iterator[int]:
    for unit in Unit:
        of_unit = [index for index, target in enumerate(targets) if target.unit is unit]
        if of_unit:
            yield max(of_unit, key=lambda index: (targets[index].amount, targets[index].from_next_day))


def _find_fault(
    policy: Policy, kind: str, target: Target, start: datetime, place: Place
) -> PlacedFault | None:
    rule = policy.rules[kind]
    try:
        pauses = _longest_hold(policy, start) if rule.pauses_on else ()
        due = due_at(start, target, rule.calendar, (*pauses, (_horizon(start), None)))
    except (ComplaintError, OverflowError) as error:
        return place, _message(start, error)
    if due is None:
        return (
            place,
            f"is not due within {_MOST_YEARS} years of {start:%Y-%m-%d}: its calendar opens too seldom",
        )
    deadline = imagine_deadline(policy, kind, start=start, due_at=due, target=target)
    for index, step in _outermost_steps(rule):
        terms = DeadlineTerms(replace(rule, ladder=(step,)), rule.calendar, pauses, start)
        try:
            plan_steps(deadline, terms, policy)
        except (ComplaintError, OverflowError) as error:
            return ("deadlines", kind, "ladder", index, "at"), _message(start, error)
    return None


def _horizon(start: datetime) -> datetime:
    """The instant up to which a target must be due."""
    years = timedelta(days=_MOST_YEARS * 365)
    return start + years if start < _LAST_INSTANT - years else _LAST_INSTANT


def _message(start: datetime, error: Exception) -> str:
    why = error.detail if isinstance(error, ComplaintError) else "The time is out of range."
    return f"cannot be computed for a complaint of {start:%Y-%m-%d}: {why}"


def _longest_hold(policy: Policy, start: datetime) -> tuple[Pause, ...]:
    return ((start, due_at(start, policy.hold_maximum, always_open(policy.timezone))),)


def _outermost_steps(rule: DeadlineRule) -> Iterator[tuple[int, Step]]:
    """The earliest and the latest step of each kind of place, with their numbers in the ladder."""
    for member in ("share", "offset_seconds", "offset_days"):
        placed = [(getattr(step, member), index) for index, step in enumerate(rule.ladder)]
        known = [(place, index) for place, index in placed if place is not None]
        for index in {min(known)[1], max(known)[1]} if known else ():
            yield index, rule.ladder[index]
