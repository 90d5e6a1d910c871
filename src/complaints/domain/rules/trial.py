"""A trial of a policy: the due time and the ladder that a deadline of one kind would have. Nothing is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from complaints.domain.complaint.facts import Hold
from complaints.domain.errors import InvalidContent
from complaints.domain.policy.circumstances import Circumstances
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.deadlines import find_pauses
from complaints.domain.rules.ladder import DeadlineTerms, PlannedStep, imagine_deadline, plan_remaining_steps
from complaints.domain.rules.targets import closure_target_of, follow_up_plan_of, target_of
from complaints.domain.time.calendars import WorkCalendar
from complaints.domain.time.preview import PreviewResult, plan_targets
from complaints.domain.time.working_time import Pause, Segment, Target
from complaints.domain.vocabulary import DeadlineKind, DeadlineStart

MOST_PAUSES = 100
_AT_RECEIPT = (None, DeadlineStart.RECEIPT, DeadlineStart.ROUTE)


@dataclass(frozen=True, slots=True)
class Trial:
    """The due time, and the steps of the ladder up to its first repetition. No steps without a due time."""

    policy: Policy
    preview: PreviewResult
    steps: Sequence[PlannedStep]


def plan_trial(
    policy: Policy,
    kind: str,
    *,
    told: Circumstances,
    sequence: int,
    start: datetime,
    pauses: Sequence[Pause] = (),
) -> Trial:
    """Try a deadline of `kind` that starts at `start`, in UTC, with these pauses.

    `told` has the members of the complaint; its priority is given. `sequence` is the number of the follow-up. Raises
    InvalidContent for a kind without a target, and as `plan_targets` does.
    """
    if len(pauses) > MOST_PAUSES:
        raise InvalidContent.at("/pauses", f"With a policy, at most {MOST_PAUSES} pauses can be given.")
    targets = _choose_targets(policy, kind, told, sequence)
    preview = plan_targets(targets, start, pauses)
    if preview.due_at is None:
        return Trial(policy, preview, ())
    deadline = imagine_deadline(
        policy,
        kind,
        start=start,
        due_at=preview.due_at,
        target=targets[0][0] if len(targets) == 1 else None,
        sequence=sequence,
    )
    rule = policy.rules[kind]
    terms = DeadlineTerms(rule, rule.calendar, tuple(pauses), start)
    return Trial(policy, preview, plan_remaining_steps(deadline, terms, policy))


@dataclass(frozen=True, slots=True)
class TriedDeadline:
    """A deadline that a complaint would get. Instants are in UTC; `calendar` has the zone of its local times.

    `segments` are the stretches of time up to the due time, and `steps` the ladder up to its first repetition.
    """

    kind: str
    sequence: int
    started_at: datetime
    due_at: datetime
    targets: tuple[Target, ...]
    calendar: WorkCalendar
    segments: Sequence[Segment]
    steps: Sequence[PlannedStep]


def plan_deadlines(
    policy: Policy, received_at: datetime, *, told: Circumstances, holds: Sequence[Hold] = ()
) -> list[TriedDeadline]:
    """The deadlines of a complaint that is received at `received_at`, up to its closure. `holds` have ended.

    The result is taken to be told exactly when `resolution` is due. Own kinds that wait for an assignment or for a
    contact are left out: nothing says when they start.
    """

    def tried(kind: str, sequence: int, start: datetime) -> TriedDeadline:
        targets = _choose_targets(policy, kind, told, sequence)
        pauses = find_pauses(policy.rules[kind], holds, start, targets[-1][1])
        trial = plan_trial(policy, kind, told=told, sequence=sequence, start=start, pauses=pauses)
        due_at, segments = trial.preview.due_at, trial.preview.segments
        assert due_at is not None  # only a pause without end gives no due time
        units = tuple(target for target, _ in targets)
        return TriedDeadline(kind, sequence, start, due_at, units, targets[-1][1], segments, trial.steps)

    with_targets = [(kind, rule.starts) for kind, rule in policy.rules.items() if rule.targets]
    found = [tried(kind, 1, received_at) for kind, starts in with_targets if starts in _AT_RECEIPT]
    told_at = next(one.due_at for one in found if one.kind == DeadlineKind.RESOLUTION)
    found += [tried(kind, 1, told_at) for kind, starts in with_targets if starts is DeadlineStart.RESULT]
    numbers = range(1, len(follow_up_plan_of(told, policy)) + 1)
    found += [tried(DeadlineKind.FOLLOW_UP, number, told_at) for number in numbers]
    return [*found, tried(DeadlineKind.CLOSURE, 1, told_at)]


def _choose_targets(
    policy: Policy, kind: str, told: Circumstances, sequence: int
) -> list[tuple[Target, WorkCalendar]]:
    """The targets up to the due time, each with its calendar. The closure follows the last follow-up."""
    if kind not in policy.rules:
        raise InvalidContent.at(
            "/kind", f"The policy has no deadlines of this kind; there are {', '.join(policy.rules)}."
        )
    plan, calendar = follow_up_plan_of(told, policy), policy.rules[kind].calendar
    match kind:
        case DeadlineKind.PROMISE:
            raise InvalidContent.at(
                "/kind", "The due time of a promise is the one promised: no policy has it."
            )
        case DeadlineKind.FOLLOW_UP:
            if sequence > len(plan):
                raise InvalidContent.at("/sequence", f"Priority {told.priority} has {len(plan)} follow-ups.")
            return [(plan[sequence - 1], calendar)]
        case DeadlineKind.CLOSURE:
            of_follow_ups = policy.rules[DeadlineKind.FOLLOW_UP].calendar
            return [(plan[-1], of_follow_ups), (closure_target_of(told, policy), calendar)]
        case _:
            return [(target_of(told, policy.rules[kind], policy), calendar)]
