"""The effects of time alone on a complaint or another subject: holds end, deadlines breach, steps are taken.

The source is rule 2.1 and rules 3.1–3.4. The sweep and every action of a caller use `catch_up`.
"""

from datetime import datetime
from typing import Any

from complaints.domain.complaint.change import ENGINE, AnyChange, Change, SubjectChange
from complaints.domain.complaint.facts import AnySubject, Deadline, Escalation, copy_with
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines, own_deadlines, routing
from complaints.domain.rules.deadlines import set_wake_time, terms_of
from complaints.domain.rules.duty import find_on_duty
from complaints.domain.rules.ladder import MOST_REPETITIONS, PlannedStep, plan_remaining_steps
from complaints.domain.rules.ownership import hand_over_left_behind
from complaints.domain.rules.recipients import Owned, find_recipients, parse_named
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import (
    DeadlineKind,
    DeadlineStatus,
    EventType,
    PriorityReason,
    Status,
)


def catch_up(
    change: AnyChange,
    policy: Policy,
    directory: Directory,
    now: datetime,
    *,
    notify: bool = True,
    in_parts: bool = False,
) -> None:
    """Apply everything that time alone does to the complaint or other subject up to `now`, in UTC.

    Holds end first. Then deadlines breach. Then steps are taken, by planned time and then by id. Nothing is
    skipped, even if it is late. If several steps of one deadline are taken together, only the highest step
    notifies. If `notify` is False, no step notifies, because an import records the past. A step can change the
    subject and so cause further effects. The loop ends when nothing is left to do at `now`. With `in_parts`, it also
    ends after so many repetitions as one transaction may take; the subject then stays due (rule 3.9).
    """
    while (wake_at := change.subject.wake_at) is not None and wake_at <= now:
        end_lapsed_hold(change, policy, now)
        _end_pauses(change, policy, now)
        _breach_late_deadlines(change, policy, now)
        has_more = _take_steps(change, policy, directory, now, notify=notify)
        _refresh_wake_times(change, policy, now)
        if has_more and in_parts:
            return


def _refresh_wake_times(change: AnyChange, policy: Policy, now: datetime) -> None:
    """Compute passed wake times again. Otherwise a deadline with nothing to do would keep the loop running."""
    for deadline in change.subject.deadlines:
        if deadline.wake_at is not None and deadline.wake_at <= now:
            change.put_deadline(set_wake_time(deadline, change.subject, policy))


def end_lapsed_hold(change: AnyChange, policy: Policy, now: datetime) -> None:
    """End the hold if its time is over. It ends at its `until_at`, not at `now`."""
    hold = change.subject.current_hold
    if hold is None or hold.until_at > now:
        return
    change.touch(now)
    change.put_hold(copy_with(hold, ended_at=hold.until_at))
    change.set(status=Status.INVESTIGATING)
    deadlines.replan(change, policy, hold.until_at)
    change.record(EventType.RESUMED, now, actor=ENGINE, until_at=hold.until_at)


def _end_pauses(change: AnyChange, policy: Policy, now: datetime) -> None:
    """End each pause with a spent budget. The hold itself goes on (rule 2.6)."""
    for deadline in change.subject.deadlines:
        if (
            deadline.status is DeadlineStatus.PAUSED
            and deadline.paused_until
            and deadline.paused_until <= now
        ):
            running = copy_with(deadline, status=DeadlineStatus.RUNNING, paused_until=None)
            change.put_deadline(set_wake_time(running, change.subject, policy))
            change.record(EventType.UPDATED, now, actor=ENGINE, pause_ended_at=deadline.paused_until)


def _breach_late_deadlines(change: AnyChange, policy: Policy, now: datetime) -> None:
    late = [d for d in change.subject.deadlines if d.status is DeadlineStatus.RUNNING and d.due_at < now]
    for deadline in sorted(late, key=lambda d: (d.due_at, d.id)):
        breached_at = deadline.breached_at or deadline.due_at
        breached = copy_with(deadline, status=DeadlineStatus.BREACHED, breached_at=breached_at)
        change.put_deadline(set_wake_time(breached, change.subject, policy))
        change.record(
            EventType.DEADLINE_BREACHED, now, actor=ENGINE, deadline_id=deadline.id, kind=deadline.kind
        )


def _take_steps(
    change: AnyChange, policy: Policy, directory: Directory, now: datetime, *, notify: bool
) -> bool:
    """Take the steps that are due. Returns True if repetitions are left for another round."""
    due, has_more = _find_passed_steps(change, policy, now, notify=notify)
    if due:
        hand_over_left_behind(change, directory, now)
    for planned, deadline, notifies in due:
        step = planned.step
        told = find_told(change.subject, step.level, step.notify, policy, directory, now) if notifies else ()
        _take_step(change, planned, deadline, now, recipients=told, notifies=notifies)
        if _apply_step_actions(change, policy, directory, planned, now):
            return False  # the step may have moved the times of the steps after it
    return has_more


def _find_passed_steps(
    change: AnyChange, policy: Policy, now: datetime, *, notify: bool
) -> tuple[list[tuple[PlannedStep, Deadline, bool]], bool]:
    """The steps to take at `now`, in order, and True if repetitions are left. The flag of a step: it notifies."""
    due: list[tuple[PlannedStep, Deadline, bool]] = []
    has_more = False
    for deadline in change.subject.deadlines:
        if deadline.status not in (DeadlineStatus.RUNNING, DeadlineStatus.BREACHED):
            continue
        if deadline.wake_at is None or deadline.wake_at > now:
            continue
        terms = terms_of(deadline, change.subject, policy)
        remaining = plan_remaining_steps(deadline, terms, policy, repetitions_until=now)
        passed = [p for p in remaining if p.wake_at <= now]
        top = max(passed, key=lambda p: (p.step.level, p.planned_at)) if passed and notify else None
        if sum(p.repetition > 0 for p in passed) > MOST_REPETITIONS:
            has_more = True
            # A later round takes this one, and notifies with it or with one after it.
            passed.remove(max(passed, key=lambda p: p.repetition))
        due.extend((step, deadline, step is top) for step in passed)
    return sorted(due, key=lambda d: (d[0].planned_at, d[1].id)), has_more


def find_told(
    subject: Owned,
    level: int,
    roles: tuple[str, ...],
    policy: Policy,
    directory: Directory,
    now: datetime,
) -> tuple[str, ...]:
    """Who hears of a step: from level 1 on the users on duty, otherwise the holders of its roles (rule 3.11).

    Named recipients hear of it in both cases (rule 3.13).
    """
    on_duty = find_on_duty(subject.team, directory, policy, now) if level > 0 else ()
    if not on_duty:
        return find_recipients(roles, subject, directory, now)
    named = find_recipients(filter(parse_named, roles), subject, directory, now)
    return tuple(dict.fromkeys((*on_duty, *named)))


def _take_step(
    change: AnyChange,
    planned: PlannedStep,
    deadline: Deadline,
    now: datetime,
    *,
    recipients: tuple[str, ...],
    notifies: bool,
) -> None:
    step, deadline = planned.step, change.deadline(deadline.id)
    taken = Escalation(
        id=change.new_id(),
        deadline_id=deadline.id,
        kind=deadline.kind,
        step=step.name,
        level=step.level,
        roles=step.notify,
        recipients=recipients,
        planned_at=planned.planned_at,
        taken_at=now,
        superseded=not notifies,
    )
    after = copy_with(deadline, level=max(deadline.level, step.level))
    if planned.repetition:
        after = copy_with(after, repetitions=planned.repetition)
    else:
        after = copy_with(after, steps_taken=(*deadline.steps_taken, step.name))
    change.put_deadline(after)
    record_escalation(change, taken, _event_type(taken))


def _event_type(taken: Escalation) -> EventType:
    if taken.level > 0:
        return EventType.ESCALATED
    is_follow_up = taken.kind is DeadlineKind.FOLLOW_UP
    return EventType.FOLLOW_UP_DUE if is_follow_up else EventType.DEADLINE_WARNING


def escalate_now(
    change: Change,
    policy: Policy,
    directory: Directory,
    now: datetime,
    *,
    step: str,
    level: int,
    roles: tuple[str, ...],
    reason: str | None = None,
    event_type: EventType = EventType.ESCALATED,
    **data: Any,
) -> None:
    """Take a step that no deadline asks for, with its event. `data` are further members of the event."""
    taken = Escalation(
        id=change.new_id(),
        deadline_id=None,
        kind=None,
        step=step,
        level=level,
        roles=roles,
        recipients=find_told(change.subject, level, roles, policy, directory, now),
        planned_at=now,
        taken_at=now,
        superseded=False,
        reason=reason,
    )
    record_escalation(change, taken, event_type, actor=change.actor, **data)


def record_escalation(
    change: AnyChange, taken: Escalation, event_type: EventType, *, actor: str = ENGINE, **data: Any
) -> None:
    """Add an escalation to the change, with its event. `data` are further members of the event."""
    change.escalations.append(taken)
    change.record(
        event_type,
        taken.taken_at,
        actor=actor,
        escalation_id=taken.id,
        deadline_id=taken.deadline_id,
        kind=taken.kind,
        step=taken.step,
        level=taken.level,
        roles=taken.roles,
        recipients=taken.recipients,
        planned_at=taken.planned_at,
        superseded=taken.superseded,
        reason=taken.reason,
        **data,
    )


def _apply_step_actions(
    change: AnyChange, policy: Policy, directory: Directory, planned: PlannedStep, now: datetime
) -> bool:
    """Apply the actions that the policy gives to a step: raise the priority, move to another team.

    A team that was retired since then takes no complaint. Returns True if the subject changed. A subject that is no
    complaint has no priority.
    """
    step, complaint = planned.step, change.subject
    if isinstance(change, SubjectChange):
        return _move_to_team(change, directory, planned, now)
    priority = routing.raise_priority(complaint.priority) if step.raise_priority else complaint.priority
    team = _choose_team(planned, complaint, directory)
    if priority is complaint.priority and team == complaint.team:
        return False
    change.touch(now)
    change.set(priority=priority, team=team, assignee=complaint.assignee if team == complaint.team else None)
    if isinstance(change, Change):
        own_deadlines.follow_owner(change, policy, complaint, now)
    if priority is not complaint.priority:
        change.set(priority_raised_by=(*complaint.priority_raised_by, PriorityReason.LADDER))
        deadlines.replan(change, policy, now, retarget=True)
    change.record(EventType.UPDATED, now, actor=ENGINE, step=step.name)
    return True


def _move_to_team(change: SubjectChange, directory: Directory, planned: PlannedStep, now: datetime) -> bool:
    team = _choose_team(planned, change.subject, directory)
    if team == change.subject.team:
        return False
    change.touch(now)
    change.set(team=team)
    change.record(EventType.UPDATED, now, actor=ENGINE, step=planned.step.name)
    return True


def _choose_team(planned: PlannedStep, subject: AnySubject, directory: Directory) -> str:
    """The team after a step. A team that was retired takes nothing."""
    asked = planned.step.move_to_team
    wanted = directory.teams.get(asked) if asked else None
    return subject.team if wanted and not wanted.active else asked or subject.team
