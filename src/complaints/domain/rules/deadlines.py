"""The rules of deadlines: start, meet, pause, re-plan and cancel them (rules 2.1 to 2.13).

A due time is always computed from the start of the deadline, its target and its pauses. Nothing is added to
an earlier due time, so the order of events cannot change the result.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count
from uuid import UUID

from complaints.domain.complaint.change import AnyChange, Change
from complaints.domain.complaint.facts import (
    AnySubject,
    Complaint,
    Deadline,
    Hold,
    Promise,
    copy_with,
    defaults_of,
    make_fact,
)
from complaints.domain.instants import MOMENT
from complaints.domain.policy.policy import DeadlineRule, Policy
from complaints.domain.rules.ladder import (
    DeadlineTerms,
    choose_calendar,
    find_next_wake_time,
    is_repeating,
)
from complaints.domain.rules.targets import closure_target_of, follow_up_plan_of, target_of
from complaints.domain.time import working_time
from complaints.domain.time.calendars import WorkCalendar
from complaints.domain.time.working_time import Pause, Segment, Target
from complaints.domain.vocabulary import DeadlineKind, DeadlineStatus, EventType

_DEFAULTS = defaults_of(Deadline)


def terms_of(deadline: Deadline, subject: AnySubject, policy: Policy) -> DeadlineTerms:
    """The rule, the calendar and the pauses that apply to a deadline of `subject`."""
    rule = policy.rules[deadline.kind]
    if not subject.holds or not rule.targets:
        return DeadlineTerms(rule, rule.calendar, (), subject.created_at)
    own = choose_calendar(deadline, rule.calendar)
    pauses = find_pauses(rule, _find_holds(deadline, subject), deadline.started_at, own)
    return DeadlineTerms(rule, rule.calendar, pauses, subject.created_at)


def find_pauses(
    rule: DeadlineRule, holds: Iterable[Hold], started_at: datetime, calendar: WorkCalendar
) -> tuple[Pause, ...]:
    """The parts of `holds` that pause a deadline by `rule` since `started_at`. `calendar` is that of its target."""
    counted = [hold for hold in holds if hold.reason in rule.pauses_on and rule.targets]
    return _limit_pauses(started_at, counted, rule.pause_budget_seconds, calendar) if counted else ()


def _find_holds(deadline: Deadline, subject: AnySubject) -> Iterator[Hold]:
    """The holds of the deadline's cycle, except holds that began after it was met.

    For a met deadline: as they were when it was met, so its due time no longer moves.
    """
    for hold in subject.holds:
        if hold.cycle != deadline.cycle:
            continue
        if deadline.met_at is None or (hold.ended_at is not None and hold.ended_at <= deadline.met_at):
            yield hold
        elif hold.started_at < deadline.met_at:
            yield copy_with(hold, ended_at=None)


def _limit_pauses(
    started_at: datetime, holds: Iterable[Hold], budget: float | None, calendar: WorkCalendar
) -> tuple[Pause, ...]:
    """The parts of `holds` that pause the deadline: all of them, until the budget of the cycle is spent.

    `budget` is in seconds of open time; None means no limit. A hold without end counts up to its `until_at`.
    """
    pauses: list[Pause] = []
    for hold in sorted(holds, key=lambda h: h.started_at):
        start, end = max(hold.started_at, started_at), hold.ended_at or hold.until_at
        if end <= start:
            continue
        if budget is not None:
            spent = working_time.elapsed_seconds(start, end, calendar)
            if spent > budget:
                end = working_time.add_time(start, budget, calendar) or end
            budget = max(0, budget - spent)
        if end > start:
            pauses.append((start, end))
    return tuple(pauses)


def start_intake(change: Change, policy: Policy) -> None:
    """Start the deadlines that run from receipt: first response and resolution (rule 2.2)."""
    started_at = change.complaint.received_at
    kinds = (DeadlineKind.FIRST_RESPONSE, DeadlineKind.RESOLUTION)
    change.add_deadlines(make_deadline_by_rule(change, policy, kind, started_at) for kind in kinds)


def start(change: Change, policy: Policy, kind: DeadlineKind, started_at: datetime) -> None:
    """Start a deadline of the present cycle with the target that the policy gives."""
    change.add_deadlines([make_deadline_by_rule(change, policy, kind, started_at)])


def make_deadline_by_rule(
    change: Change, policy: Policy, kind: str, started_at: datetime, *, sequence: int = 1
) -> Deadline:
    """As `make_deadline`, with the target that the policy gives. No hold is looked at."""
    rule = policy.rules[kind]
    target = target_of(change.complaint, rule, policy)
    return make_deadline(
        change,
        policy,
        kind,
        started_at=started_at,
        target=target,
        due_at=compute_due_time(started_at, target, rule.calendar),
        sequence=sequence,
    )


def start_after_result(change: Change, policy: Policy, told_at: datetime) -> None:
    """Start the follow-up deadlines and the closure deadline. The complainant was told the result at `told_at`."""
    due, started = told_at, []
    for sequence, target in enumerate(follow_up_plan_of(change.complaint, policy), start=1):
        due = compute_due_time(told_at, target, policy.rules[DeadlineKind.FOLLOW_UP].calendar)
        started.append(
            make_deadline(
                change, policy, DeadlineKind.FOLLOW_UP,
                started_at=told_at, target=target, due_at=due, sequence=sequence,
            )
        )  # fmt: skip
    closure_target = closure_target_of(change.complaint, policy)
    closure_at = compute_due_time(due, closure_target, policy.rules[DeadlineKind.CLOSURE].calendar)
    closure = make_deadline(
        change, policy, DeadlineKind.CLOSURE, started_at=told_at, target=None, due_at=closure_at
    )
    change.add_deadlines([*started, closure])


def start_retry(change: Change, policy: Policy, missed: Deadline, now: datetime) -> None:
    """Start another attempt at a follow-up contact that reached nobody (rule 1.3)."""
    target = policy.unreachable_retry
    due = compute_due_time(now, target, policy.rules[DeadlineKind.FOLLOW_UP].calendar)
    retry = make_deadline(
        change, policy, DeadlineKind.FOLLOW_UP,
        started_at=now, target=target, due_at=due, sequence=missed.sequence, attempt=missed.attempt + 1,
    )  # fmt: skip
    change.add_deadlines([retry])


def start_early_follow_up(change: Change, policy: Policy, now: datetime) -> None:
    """Start a follow-up, due when a retry would be, unless one of the cycle is due by then (rule 1.13)."""
    target = policy.unreachable_retry
    due = compute_due_time(now, target, policy.rules[DeadlineKind.FOLLOW_UP].calendar)
    complaint = change.complaint
    if any(d.due_at <= due for d in change.unmet(DeadlineKind.FOLLOW_UP, cycle=complaint.cycle)):
        return
    early = make_deadline(
        change, policy, DeadlineKind.FOLLOW_UP,
        started_at=now, target=target, due_at=due,
        sequence=next_sequence(complaint, DeadlineKind.FOLLOW_UP),
    )  # fmt: skip
    change.touch(now)
    change.add_deadlines([early])


def compute_due_time(start_at: datetime, target: Target, calendar: WorkCalendar) -> datetime:
    """The due time of a deadline that starts at `start_at` and never pauses."""
    due = working_time.due_at(start_at, target, calendar)
    assert due is not None  # only a pause without end gives no due time
    return due


def make_deadline(
    change: AnyChange,
    policy: Policy,
    kind: str,
    *,
    started_at: datetime,
    target: Target | None,
    due_at: datetime,
    sequence: int = 1,
    attempt: int = 1,
) -> Deadline:
    """Make a running deadline of the present cycle, with its first wake time. It is not added to the change.

    `target` is None if the due time was given (a promise) or follows from another deadline (closure).
    """
    own = {
        "id": change.new_id(),
        "policy_code": policy.code,
        "policy_version": policy.version,
        "kind": kind,
        "cycle": change.subject.cycle,
        "sequence": sequence,
        "attempt": attempt,
        "status": DeadlineStatus.RUNNING,
        "started_at": started_at,
        "target": target,
        "due_at": due_at,
    }
    return set_wake_time(make_fact(Deadline, {**_DEFAULTS, **own}), change.subject, policy)


def add_promise(
    change: Change, policy: Policy, text: str, *, made_by: str, started_at: datetime, due_at: datetime
) -> UUID:
    """Add a promise to the complainant, with its deadline. Returns its id. `made_by` is the actor who promised."""
    deadline = make_deadline(
        change,
        policy,
        DeadlineKind.PROMISE,
        started_at=started_at,
        target=None,
        due_at=due_at,
        sequence=next_sequence(change.complaint, DeadlineKind.PROMISE),
    )
    change.add_deadlines([deadline])
    change.promises.append(Promise(deadline.id, text, made_by))
    return deadline.id


def set_wake_time(deadline: Deadline, subject: AnySubject, policy: Policy) -> Deadline:
    """Set the wake time: the instant at which the product must act on the deadline next, or None."""
    match deadline.status:
        case DeadlineStatus.PAUSED:
            wake_at = deadline.paused_until
        case DeadlineStatus.RUNNING:
            breach_at = deadline.due_at + MOMENT
            step_at = find_next_wake_time(deadline, terms_of(deadline, subject, policy), policy)
            wake_at = min(breach_at, step_at) if step_at else breach_at
        case DeadlineStatus.BREACHED:
            wake_at = find_next_wake_time(deadline, terms_of(deadline, subject, policy), policy)
        case _:
            wake_at = None
    return deadline if wake_at == deadline.wake_at else copy_with(deadline, wake_at=wake_at)


def meet(change: AnyChange, deadline: Deadline, now: datetime) -> None:
    """Meet a deadline at `now`. It is late if `now` is after the due time (rule 2.1). A breach stays on record."""
    late = now > deadline.due_at
    change.put_deadline(
        copy_with(
            deadline,
            status=DeadlineStatus.MET_LATE if late else DeadlineStatus.MET,
            met_at=now,
            breached_at=deadline.breached_at or (deadline.due_at if late else None),
            paused_until=None,
            wake_at=None,
        )
    )
    change.record(EventType.DEADLINE_MET, now, deadline_id=deadline.id, kind=deadline.kind, late=late)


def cancel(change: AnyChange, deadlines: Iterable[Deadline]) -> None:
    """Cancel deadlines: nobody has to meet them any more. A breach stays on record (rule 2.11)."""
    for deadline in deadlines:
        change.put_deadline(
            copy_with(deadline, status=DeadlineStatus.CANCELLED, paused_until=None, wake_at=None)
        )


def end_repetitions(
    deadline: Deadline, subject: AnySubject, policy: Policy, step_name: str, now: datetime
) -> Deadline:
    """The deadline after a user acknowledged one of its steps at `now`. A repeating step then repeats no more.

    The source is rule 3.9.
    """
    is_over = not deadline.unmet or deadline.acknowledged_at is not None
    if is_over or not is_repeating(step_name, policy.rules[deadline.kind]):
        return deadline
    return set_wake_time(copy_with(deadline, acknowledged_at=now), subject, policy)


def replan(change: AnyChange, policy: Policy, now: datetime, *, retarget: bool = False) -> None:
    """Compute the unmet deadlines again from their start, with their pauses (rules 2.6 and 2.8).

    With `retarget`, the targets are chosen again too, because the policy changed, or a member that decides on them.
    Follow-up deadlines, closure deadlines and promises keep their due times. So does each deadline that is past its
    due time at `now`, whether or not its breach is recorded already.
    """
    for deadline in change.subject.deadlines:
        if not deadline.unmet:
            continue
        if catch_up_status(deadline, now).status is DeadlineStatus.BREACHED:
            renewed = set_wake_time(deadline, change.subject, policy)
        else:
            renewed = _recompute(deadline, change.subject, policy, now, retarget=retarget)
        if renewed != deadline:
            change.put_deadline(renewed)


def _recompute(
    deadline: Deadline, complaint: Complaint, policy: Policy, now: datetime, *, retarget: bool
) -> Deadline:
    terms = terms_of(deadline, complaint, policy)
    if deadline.target is not None and terms.rule.targets:
        target = target_of(complaint, terms.rule, policy) if retarget else deadline.target
        due_at = working_time.due_at(deadline.started_at, target, terms.calendar, terms.pauses)
        assert due_at is not None  # a hold always has an end
        extended = working_time.pause_extension_seconds(
            deadline.started_at, target, terms.calendar, terms.pauses
        )
        deadline = copy_with(deadline, target=target, due_at=due_at, paused_seconds=int(extended))
    return set_wake_time(_set_running_or_paused(deadline, terms.pauses, now), complaint, policy)


def _set_running_or_paused(deadline: Deadline, pauses: tuple[Pause, ...], now: datetime) -> Deadline:
    """Set the status to running or paused.

    If the new due time has passed, `breached_at` is noted now; `catch_up` changes the status later.
    """
    if deadline.due_at < now:
        return copy_with(deadline, status=DeadlineStatus.RUNNING, breached_at=now, paused_until=None)
    paused_until = next((end for start, end in pauses if end and start <= now < end), None)
    if paused_until is None or deadline.due_at <= now:
        return copy_with(deadline, status=DeadlineStatus.RUNNING, paused_until=None)
    return copy_with(deadline, status=DeadlineStatus.PAUSED, paused_until=paused_until)


def move_to_policy(change: Change, policy: Policy, now: datetime) -> None:
    """Move a complaint to another policy version, on purpose (rule 2.9).

    Unmet deadlines of a kind that the policy does not have are cancelled (rule 4.11). `own_deadlines.start_added`
    starts those that it adds.
    """
    cancel(change, [d for d in change.complaint.deadlines if d.unmet and d.kind not in policy.rules])
    change.set(
        policy_code=policy.code,
        policy_version=policy.version,
        deadlines=tuple(_with_policy(d, policy) if d.unmet else d for d in change.complaint.deadlines),
    )
    replan(change, policy, now, retarget=True)


def _with_policy(deadline: Deadline, policy: Policy) -> Deadline:
    """The deadline under another policy version. The repetitions of another last step are counted from the first."""
    keeps_count = policy.rules[deadline.kind].ladder[-1].name in deadline.steps_taken
    return copy_with(
        deadline,
        policy_code=policy.code,
        policy_version=policy.version,
        repetitions=deadline.repetitions if keeps_count else 0,
    )


def catch_up_status(deadline: Deadline, now: datetime) -> Deadline:
    """The deadline with the status that time alone gives it at `now`, whether or not a sweep has run."""
    if deadline.status is DeadlineStatus.PAUSED and deadline.paused_until and now >= deadline.paused_until:
        deadline = copy_with(deadline, status=DeadlineStatus.RUNNING, paused_until=None)
    if deadline.status is DeadlineStatus.RUNNING and now > deadline.due_at:
        deadline = copy_with(
            deadline, status=DeadlineStatus.BREACHED, breached_at=deadline.breached_at or deadline.due_at
        )
    return deadline


def explain_due_time(deadline: Deadline, subject: AnySubject, policy: Policy) -> tuple[Segment, ...]:
    """The intervals between start and due time that were counted, and the skipped intervals (rule 2.13)."""
    terms = terms_of(deadline, subject, policy)
    if deadline.target is None:
        return (Segment(deadline.started_at, deadline.due_at, counted=True, reason="given"),)
    return working_time.explain(deadline.started_at, deadline.target, terms.calendar, terms.pauses)


def next_sequence(subject: AnySubject, kind: str) -> int:
    """The lowest sequence number that no deadline of this kind has in the present cycle."""
    used = {d.sequence for d in subject.deadlines if d.kind == kind and d.cycle == subject.cycle}
    return next(n for n in count(1) if n not in used)
