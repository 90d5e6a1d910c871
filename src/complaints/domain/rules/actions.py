"""The actions of callers on a complaint (domain §1). Each function checks its guard and then plans the effect.

`plan` is the only entry. It checks the lifecycle table before the guard of the action.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint, Deadline, Hold
from complaints.domain.errors import (
    Fault,
    Forbidden,
    InvalidContent,
    TransitionRefused,
    ask_if_meant,
    describe_unknown,
)
from complaints.domain.instants import write_instant
from complaints.domain.policy.categories import Category
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines, merging, own_deadlines
from complaints.domain.rules.lifecycle import legal_actions, next_status
from complaints.domain.rules.merging import UNMERGE_ROLES, MergeRecord, unmerge_refusal
from complaints.domain.rules.ownership import renew_ownership
from complaints.domain.rules.passing_time import escalate_now
from complaints.domain.staff import Directory, Team, User
from complaints.domain.time import local_dates, working_time
from complaints.domain.vocabulary import (
    AccessRole,
    Action,
    Cause,
    ContactChannel,
    ContactOutcome,
    DeadlineKind,
    EventType,
    HoldReason,
    Outcome,
    RecipientRole,
    Status,
)

MANUAL_STEP = "manual"
_ONE_ATTEMPT = timedelta(minutes=10)
_LEVELS = {
    RecipientRole.ASSIGNEE: 0,
    RecipientRole.FIRST_OWNER: 0,
    RecipientRole.TEAM_LEAD: 1,
    RecipientRole.DEPARTMENT_HEAD: 2,
    RecipientRole.EXECUTIVE: 3,
}
_NEEDS_CONFIRMATION = "An early close needs the message and contact_channel of the confirmation."
_UPHELD = frozenset({Outcome.UPHELD, Outcome.PARTLY_UPHELD})
_REOPENED_WITHIN_WINDOW = frozenset({Status.CLOSED, Status.REJECTED, Status.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class ActionContext:
    """The facts beside the complaint that decide on an action: time, policy, staff, access roles, categories.

    `roles` are those of the caller. `categories` has every category by its code.
    """

    now: datetime
    policy: Policy
    directory: Directory
    roles: frozenset[AccessRole]
    categories: Mapping[str, Category] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActionVerdict:
    """The verdict on an action: allowed now (`refused_because` is None), or refused with a reason."""

    action: Action
    refused_because: str | None

    @property
    def allowed(self) -> bool:
        """True if the action may be taken now."""
        return self.refused_because is None


def plan(change: Change, context: ActionContext, action: Action, arguments: dict[str, Any]) -> None:
    """Plan `action` with its arguments on `change`.

    Raises TransitionRefused with the actions that are allowed now. Raises InvalidContent for wrong arguments.
    Raises Forbidden if the roles of the caller do not allow the action. After an error `change` must not be
    saved.
    """
    complaint = change.complaint
    not_solved = arguments.get("outcome") == ContactOutcome.NOT_SOLVED
    try:
        was = arguments["undone"].was if "undone" in arguments else None
        status = next_status(complaint.status, action, not_solved=not_solved, was=was)
        if action is Action.RECORD_CONTACT and _is_same_attempt(complaint, context.now, **arguments):
            return
        if action is not Action.ESCALATE:  # an escalation changes neither version nor ETag
            change.touch(context.now)
        _PLANNERS[action](change, context, status, **arguments)
    except TransitionRefused as refusal:
        allowed = [verdict.action for verdict in judge_actions(complaint, context) if verdict.allowed]
        raise TransitionRefused(refusal.detail, allowed=allowed) from None


def judge_actions(complaint: Complaint, context: ActionContext) -> list[ActionVerdict]:
    """The verdict on every action. Arguments are unknown here, so reasons in them do not count (rule 1.6)."""
    legal = legal_actions(complaint.status)
    found = []
    for action in Action:
        if action not in legal:
            reason: str | None = f"not possible while the complaint is {complaint.status}"
        else:
            reason = _refusal(action, complaint, context)
        found.append(ActionVerdict(action, reason))
    return found


_GUARDED = (
    Action.CLOSE,
    Action.REOPEN,
    Action.UNMERGE,
)  # `_refusal` may refuse these although the status allows them


def allowed_actions(complaint: Complaint, context: ActionContext) -> tuple[Action, ...]:
    """The actions that `judge_actions` allows, at a lower cost: lists of complaints call it for each row."""
    known = actions_by_status(complaint.status)
    if known is not None:
        return known
    legal = legal_actions(complaint.status)
    refused = [action for action in _GUARDED if action in legal and _refusal(action, complaint, context)]
    return tuple(action for action in legal if action not in refused)


@lru_cache
def actions_by_status(status: Status) -> tuple[Action, ...] | None:
    """The actions that are allowed on every complaint in this status. None if more than the status decides."""
    legal = legal_actions(status)
    return None if any(action in legal for action in _GUARDED) else tuple(legal)


def _refusal(action: Action, complaint: Complaint, context: ActionContext) -> str | None:
    if action is Action.CLOSE:
        early = bool(context.roles & context.policy.early_close_roles)
        return close_refusal(complaint, context.now, early=early)
    if action is Action.REOPEN:
        return reopen_refusal(complaint, context)
    if action is Action.UNMERGE:
        return _unmerge_role_refusal(context) or unmerge_refusal(complaint, context.now)
    return None


# The actions ------------------------------------------------------------------------------------------------


def _assign(
    change: Change,
    context: ActionContext,
    status: Status,
    *,
    team: str | None = None,
    assignee: str | None = None,
    take_back: bool = False,
) -> None:
    """`take_back` leaves the complaint without assignee."""
    complaint = change.complaint
    if team is None and assignee is None and not take_back:
        raise InvalidContent.at("", "assign needs a team, an assignee, or both.")
    _check_assignment(context.directory, complaint, team, assignee)
    if team is not None or not take_back:
        own_deadlines.meet_by(change, context.policy, Action.ASSIGN, context.now)
    moved = team is not None and team != complaint.team
    change.set(
        team=team or complaint.team,
        assignee=assignee or (None if moved or take_back else complaint.assignee),
        status=status,
    )
    own_deadlines.follow_owner(change, context.policy, complaint, context.now)
    change.record(EventType.ASSIGNED, context.now, taken_back=(take_back and team is None) or None)


def _check_assignment(
    directory: Directory, complaint: Complaint, team: str | None, assignee: str | None
) -> None:
    """A team and a user who do not change are no choice: they may be retired meanwhile (rule 1.7)."""
    if team not in (None, complaint.team) and not ((found := directory.teams.get(team)) and found.active):
        raise InvalidContent.at("/team", _describe_retired("team", team, directory.teams))
    if assignee not in (None, complaint.assignee) and not (
        (user := directory.users.get(assignee)) and user.active
    ):
        raise InvalidContent.at("/assignee", _describe_retired("user", assignee, directory.users))


def _describe_retired(noun: str, name: str, known: Mapping[str, Team] | Mapping[str, User]) -> str:
    """The message about a name that no active team or user has. Whoever may assign may know all of them."""
    active = [key for key, one in known.items() if one.active]
    return describe_unknown(f"active {noun}", name, ask_if_meant(name, active))


def _respond(
    change: Change, context: ActionContext, status: Status, *, message: str, contact_channel: ContactChannel
) -> None:
    change.set(status=status)
    change.record(EventType.RESPONDED, context.now, message=message, contact_channel=contact_channel)
    _meet(change, context.now, DeadlineKind.FIRST_RESPONSE, DeadlineKind.PROMISE)
    own_deadlines.meet_by(change, context.policy, Action.RESPOND, context.now)


def _hold(
    change: Change, context: ActionContext, status: Status, *, reason: HoldReason, until: datetime
) -> None:
    now, policy = context.now, context.policy
    if until <= now:
        raise InvalidContent.at("/until", "A hold ends in the future.")
    latest = working_time.due_at(now, policy.hold_maximum, working_time.always_open(policy.timezone))
    if latest is not None and until > latest:
        raise InvalidContent.at("/until", f"A hold lasts at most until {write_instant(latest)}.")
    own_deadlines.meet_by(change, policy, Action.HOLD, now)
    change.put_hold(Hold(change.new_id(), change.complaint.cycle, reason, now, until))
    change.set(status=status)
    deadlines.replan(change, policy, now)
    change.record(EventType.HELD, now, reason=reason, until_at=until)


def _resume(change: Change, context: ActionContext, status: Status) -> None:
    _end_hold(change, context)
    change.set(status=status)
    change.record(EventType.RESUMED, context.now)
    own_deadlines.meet_by(change, context.policy, Action.RESUME, context.now)


def _end_hold(change: Change, context: ActionContext) -> None:
    """End the hold. An action that leaves `on_hold` ends the pause first (rule 2.6)."""
    hold = change.complaint.current_hold
    if hold is not None:
        change.put_hold(replace(hold, ended_at=context.now))
        deadlines.replan(change, context.policy, context.now)


def _resolve(
    change: Change,
    context: ActionContext,
    status: Status,
    *,
    resolution: str,
    outcome: Outcome,
    cause: Cause,
    root_cause: str | None = None,
    compensation: tuple[Decimal, str] | None = None,
    outcome_assumed: bool | None = None,
) -> None:
    """`outcome_assumed` is True if the caller named no outcome, otherwise None (rule 1.20)."""
    _end_hold(change, context)
    amount, currency = compensation or (None, None)
    change.set(
        status=status,
        resolution=resolution,
        outcome=outcome,
        outcome_assumed=outcome_assumed,
        cause=cause,
        root_cause=root_cause or change.complaint.root_cause,
        compensation_amount=amount,
        compensation_currency=currency,
        resolved_at=context.now,
    )
    change.record(EventType.RESOLVED, context.now)
    own_deadlines.meet_by(change, context.policy, Action.RESOLVE, context.now)


def _notify_result(
    change: Change, context: ActionContext, status: Status, *, message: str, contact_channel: ContactChannel
) -> None:
    now = context.now
    own_deadlines.meet_by(change, context.policy, Action.NOTIFY_RESULT, now)
    change.set(status=status, result_told_at=now)
    deadlines.start_after_result(change, context.policy, now)
    own_deadlines.start_with_result(change, context.policy, now)
    change.record(EventType.RESULT_NOTIFIED, now, message=message, contact_channel=contact_channel)
    _meet(change, now, DeadlineKind.FIRST_RESPONSE, DeadlineKind.RESOLUTION, DeadlineKind.PROMISE)


def _record_contact(
    change: Change,
    context: ActionContext,
    status: Status,
    *,
    outcome: ContactOutcome,
    csat: int | None = None,
    nps: int | None = None,
    note: str | None = None,
) -> None:
    complaint, now = change.complaint, context.now
    answered = outcome is not ContactOutcome.UNREACHABLE
    if answered and complaint.status is not Status.FOLLOWING_UP:
        raise TransitionRefused(
            f"While a complaint is {complaint.status}, only an unreachable contact can be recorded: "
            "use respond or notify_result for one that was answered."
        )
    if answered:
        change.set(contact_outcome=outcome, csat=csat, nps=nps)
    change.set(unreachable_at=None if answered else now)
    follow_up = _follow_up_met_by(change, context)
    change.record(
        EventType.CONTACT_RECORDED,
        now,
        outcome=outcome,
        csat=csat,
        nps=nps,
        note=note,
        deadline_id=follow_up.id if follow_up else None,
    )
    if follow_up is not None:
        deadlines.meet(change, follow_up, now)
    if answered:
        _meet(change, now, DeadlineKind.PROMISE)
        own_deadlines.meet_by(change, context.policy, Action.RECORD_CONTACT, now)
    if outcome is ContactOutcome.NOT_SOLVED:
        _new_cycle(change, context, status, note or "not solved", DeadlineKind.RESOLUTION)
    elif not answered and follow_up and follow_up.attempt < context.policy.unreachable_attempts:
        deadlines.start_retry(change, context.policy, follow_up, now)
        change.record(EventType.UPDATED, now, reason=f"attempt {follow_up.attempt + 1} planned")


def _is_same_attempt(complaint: Complaint, now: datetime, *, outcome: ContactOutcome, **_: Any) -> bool:
    """True if nobody was reached, and the contact before reached nobody within the last 10 minutes (rule 1.10)."""
    last = complaint.unreachable_at
    return outcome is ContactOutcome.UNREACHABLE and last is not None and now - last < _ONE_ATTEMPT


def _follow_up_met_by(change: Change, context: ActionContext) -> Deadline | None:
    """The earliest unmet follow-up of the cycle. None if it is due too far in the future (rule 1.3)."""
    complaint, policy = change.complaint, context.policy
    if complaint.status is not Status.FOLLOWING_UP:
        return None
    earliest = next(iter(change.unmet(DeadlineKind.FOLLOW_UP, cycle=complaint.cycle)), None)
    horizon = local_dates.shift_days(context.now, policy.contact_match_days, policy.timezone)
    return earliest if earliest and earliest.due_at <= horizon else None


def _reopen(change: Change, context: ActionContext, status: Status, *, reason: str) -> None:
    complaint = change.complaint
    if refusal := reopen_refusal(complaint, context):
        raise TransitionRefused(refusal)
    if complaint.status is Status.RESOLVED:  # the complainant knows no result yet, so the cycle goes on
        renew_ownership(change, context.policy, context.directory, context.categories)
        change.set(status=status, resolved_at=None)
        own_deadlines.follow_owner(change, context.policy, complaint, context.now)
        change.record(EventType.REOPENED, context.now, reason=reason)
        return
    _new_cycle(change, context, status, reason, DeadlineKind.FIRST_RESPONSE, DeadlineKind.RESOLUTION)


def reopen_refusal(complaint: Complaint, context: ActionContext) -> str | None:
    """The reason why a complaint cannot be reopened now: its reopen window is over. None if it can be."""
    if complaint.status not in _REOPENED_WITHIN_WINDOW or complaint.ended_at is None:
        return None
    policy = context.policy
    last = working_time.due_at(
        complaint.ended_at, policy.reopen_window, working_time.always_open(policy.timezone)
    )
    if last is None or context.now <= last:
        return None
    return (
        f"The time to reopen it ended at {write_instant(last)}: make a new complaint, linked recurrence_of."
    )


def _new_cycle(
    change: Change, context: ActionContext, status: Status, reason: str, *started: DeadlineKind
) -> None:
    """Start a new cycle. It cancels the unmet deadlines of the old cycle; promises stay (rule 1.4)."""
    renew_ownership(change, context.policy, context.directory, context.categories)
    complaint = change.complaint
    deadlines.cancel(
        change, [d for d in complaint.deadlines if d.unmet and d.kind is not DeadlineKind.PROMISE]
    )
    change.set(
        status=status,
        cycle=complaint.cycle + 1,
        resolution=None,
        outcome=None,
        outcome_assumed=None,
        compensation_amount=None,
        compensation_currency=None,
        resolved_at=None,
        result_told_at=None,
        contact_outcome=None,
        unreachable_at=None,
        ended_at=None,
    )
    for kind in started:
        deadlines.start(change, context.policy, kind, context.now)
    own_deadlines.start_again(change, context.policy, context.now)
    change.record(EventType.REOPENED, context.now, reason=reason)


def _close(
    change: Change,
    context: ActionContext,
    status: Status,
    *,
    root_cause: str | None = None,
    early: bool = False,
    message: str | None = None,
    contact_channel: ContactChannel | None = None,
) -> None:
    complaint = change.complaint
    if early and not context.roles & context.policy.early_close_roles:
        roles = ", ".join(sorted(context.policy.early_close_roles))
        raise Forbidden(f"Your roles do not allow an early close: it needs one of {roles}.")
    sent = {"/message": message, "/contact_channel": contact_channel} if early else {}
    faults = [Fault(pointer, _NEEDS_CONFIRMATION) for pointer, value in sent.items() if value is None]
    refusal = close_refusal(complaint, context.now, early=early)
    if refusal and not faults:
        raise TransitionRefused(refusal)
    if complaint.outcome in _UPHELD and not (root_cause or complaint.root_cause):
        message_for = f"A complaint that is {complaint.outcome} closes with its root cause."
        faults.append(Fault("/root_cause", message_for))
    if faults:
        told = dict.fromkeys(fault.message.removesuffix(".") for fault in faults)
        raise InvalidContent("; ".join(told) + ".", faults=faults)
    _meet(change, context.now, DeadlineKind.CLOSURE)
    own_deadlines.meet_by(change, context.policy, Action.CLOSE, context.now)
    _end(change, context, status, root_cause=root_cause or complaint.root_cause)
    change.record(
        EventType.CLOSED, context.now, early=early, message=message, contact_channel=contact_channel
    )


def close_refusal(complaint: Complaint, now: datetime, *, early: bool) -> str | None:
    """The reason why a complaint in follow-up cannot be closed at `now`. None if it can be.

    `early`: the caller may close it before the follow-ups are done.
    """
    if any(d.kind is DeadlineKind.PROMISE and d.unmet for d in complaint.deadlines):
        return "A promise to the complainant is still open."
    if complaint.contact_outcome is ContactOutcome.NOT_SOLVED:
        return "The complainant last said that it is not solved."
    follow_ups = [
        d for d in complaint.deadlines if d.kind is DeadlineKind.FOLLOW_UP and d.cycle == complaint.cycle
    ]
    if early or not follow_ups:
        return None
    hint = "or, if the complainant confirmed it, close early"
    if any(d.unmet for d in follow_ups):
        return f"A follow-up contact is still to be made: record it, {hint}."
    # The latest due time of all: the last attempt of an early follow-up can be due before the plan ends.
    window_ends_at = max(d.due_at for d in follow_ups)
    if now < window_ends_at:
        return f"The follow-up window lasts until {write_instant(window_ends_at)}: wait, {hint}."
    return None


def _escalate(
    change: Change, context: ActionContext, status: Status, *, reason: str, role: RecipientRole
) -> None:
    change.set(status=status)
    escalate_now(
        change,
        context.policy,
        context.directory,
        context.now,
        step=MANUAL_STEP,
        level=_LEVELS[role],
        roles=(role,),
        reason=reason,
    )


def _reject(
    change: Change,
    context: ActionContext,
    status: Status,
    *,
    reason: str,
    message: str,
    contact_channel: ContactChannel,
) -> None:
    _end_hold(change, context)
    _meet(change, context.now, DeadlineKind.FIRST_RESPONSE, DeadlineKind.RESOLUTION, DeadlineKind.PROMISE)
    own_deadlines.meet_by(change, context.policy, Action.REJECT, context.now)
    _end(change, context, status)
    change.record(
        EventType.REJECTED, context.now, reason=reason, message=message, contact_channel=contact_channel
    )


def _withdraw(change: Change, context: ActionContext, status: Status, *, reason: str) -> None:
    _end_hold(change, context)
    own_deadlines.meet_by(change, context.policy, Action.WITHDRAW, context.now)
    _end(change, context, status)
    change.record(EventType.WITHDRAWN, context.now, reason=reason)


def _merge(
    change: Change,
    context: ActionContext,
    status: Status,
    *,
    into: UUID,
    promises: Mapping[UUID, UUID] | None = None,
) -> None:
    was, hold = change.complaint.status, change.complaint.current_hold
    _end_hold(change, context)
    _end(change, context, status, merged_into=into)
    moved = {str(own): other for own, other in (promises or {}).items()}
    change.record(
        EventType.MERGED, context.now, into=into, was=was, hold_id=hold.id if hold else None, promises=moved
    )


def _unmerge_role_refusal(context: ActionContext) -> str | None:
    if context.roles.isdisjoint(UNMERGE_ROLES):
        return f"Only the roles {', '.join(UNMERGE_ROLES)} may undo a merge."
    return None


def _unmerge(
    change: Change, context: ActionContext, status: Status, *, undone: MergeRecord, reason: str | None = None
) -> None:
    if refusal := _unmerge_role_refusal(context):
        raise Forbidden(refusal)
    if refusal := unmerge_refusal(change.complaint, context.now):
        raise TransitionRefused(refusal)
    merging.restore(change, context.policy, undone, status)
    change.record(EventType.UNMERGED, context.now, reason=reason)


def _end(change: Change, context: ActionContext, status: Status, **changes: Any) -> None:
    """End the complaint and cancel its unmet deadlines (rule 2.11)."""
    deadlines.cancel(change, [d for d in change.complaint.deadlines if d.unmet])
    change.set(status=status, ended_at=context.now, **changes)


def _meet(change: Change, now: datetime, *kinds: DeadlineKind) -> None:
    """Meet the unmet deadlines of these kinds in the present cycle, and promises of every cycle."""
    for kind in kinds:
        cycle = None if kind is DeadlineKind.PROMISE else change.complaint.cycle
        for deadline in change.unmet(kind, cycle=cycle):
            deadlines.meet(change, deadline, now)


_PLANNERS: dict[Action, Callable[..., None]] = {
    Action.ASSIGN: _assign,
    Action.RESPOND: _respond,
    Action.HOLD: _hold,
    Action.RESUME: _resume,
    Action.RESOLVE: _resolve,
    Action.NOTIFY_RESULT: _notify_result,
    Action.RECORD_CONTACT: _record_contact,
    Action.REOPEN: _reopen,
    Action.CLOSE: _close,
    Action.ESCALATE: _escalate,
    Action.REJECT: _reject,
    Action.WITHDRAW: _withdraw,
    Action.MERGE: _merge,
    Action.UNMERGE: _unmerge,
}
