"""Own deadlines: the kinds that a policy adds to the built-in ones (rules 4.7 to 4.11).

An action first meets the deadlines that name it. Then it starts others: no action meets what it has started.
"""

from collections.abc import Iterable
from datetime import datetime

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint
from complaints.domain.policy.policy import DeadlineRule, Policy
from complaints.domain.rules import deadlines
from complaints.domain.vocabulary import Action, DeadlineKind, DeadlineStart

_AT_RECEIPT = (DeadlineStart.RECEIPT, DeadlineStart.ROUTE)


def start_at_intake(change: Change, policy: Policy) -> None:
    """Start those that run from receipt, and those of the first team. A new complaint has no assignee."""
    _start(
        change, policy, (r for r in policy.own_rules if r.starts in _AT_RECEIPT), change.complaint.received_at
    )


def start_again(change: Change, policy: Policy, now: datetime) -> None:
    """Start those of a new cycle: as at intake, and for an assignee who stays."""
    starts = (*_AT_RECEIPT, DeadlineStart.ASSIGN) if change.complaint.assignee else _AT_RECEIPT
    _start(change, policy, (r for r in policy.own_rules if r.starts in starts), now)


def start_with_result(change: Change, policy: Policy, now: datetime) -> None:
    """Start those that run from the time at which the complainant was told the result."""
    _start(change, policy, (r for r in policy.own_rules if r.starts is DeadlineStart.RESULT), now)


def start_with_contact(change: Change, policy: Policy, now: datetime) -> None:
    """Start those for an answer to a contact. An earlier contact without an answer keeps its deadline (rule 4.9)."""
    cycle = change.complaint.cycle
    waiting = [
        rule
        for rule in policy.own_rules
        if rule.starts is DeadlineStart.CONTACT and not change.unmet(rule.kind, cycle=cycle)
    ]
    if waiting:
        change.touch(now)
        _start_now(change, policy, waiting, now)


def follow_owner(change: Change, policy: Policy, before: Complaint, now: datetime) -> None:
    """Start those of another team and of the first assignee, if the complaint has them now (rule 4.10).

    `before` is the complaint with its former team and assignee. The unmet ones of the former team are cancelled.
    """
    complaint = change.complaint
    if not policy.own_rules or not complaint.open:
        return
    if complaint.team != before.team:
        of_team = [rule for rule in policy.own_rules if rule.starts is DeadlineStart.ROUTE]
        for rule in of_team:
            deadlines.cancel(change, change.unmet(rule.kind, cycle=complaint.cycle))
        _start_now(change, policy, of_team, now)
    if complaint.assignee not in (None, before.assignee):
        known = {d.kind for d in complaint.deadlines if d.cycle == complaint.cycle}
        first = (r for r in policy.own_rules if r.starts is DeadlineStart.ASSIGN and r.kind not in known)
        _start_now(change, policy, first, now)


def _start_now(change: Change, policy: Policy, rules: Iterable[DeadlineRule], now: datetime) -> None:
    """Start deadlines of a complaint that may be on hold: they pause as the others do (rule 2.6)."""
    _start(change, policy, rules, now)
    if change.complaint.current_hold is not None:
        deadlines.replan(change, policy, now)


def _start(change: Change, policy: Policy, rules: Iterable[DeadlineRule], started_at: datetime) -> None:
    for rule in rules:
        sequence = deadlines.next_sequence(change.complaint, rule.kind)
        started = deadlines.make_deadline_by_rule(change, policy, rule.kind, started_at, sequence=sequence)
        change.add_deadlines([started])


def meet_by(change: Change, policy: Policy, action: Action, now: datetime) -> None:
    """Meet the unmet own deadlines of the present cycle that name `action` (rule 4.7)."""
    for rule in policy.own_rules:
        if action in rule.met_by:
            for deadline in change.unmet(rule.kind, cycle=change.complaint.cycle):
                deadlines.meet(change, deadline, now)


# Another policy ----------------------------------------------------------------------------------------------------


def start_added(change: Change, policy: Policy, now: datetime) -> None:
    """Start those that run from receipt and that another policy adds, with the start of the cycle (rule 4.11).

    None starts if an action that meets it was taken in the cycle.
    """
    complaint = change.complaint
    known = {d.kind for d in complaint.deadlines if d.cycle == complaint.cycle}
    taken = _taken_in_cycle(complaint)
    added = [
        rule
        for rule in policy.own_rules
        if rule.starts is DeadlineStart.RECEIPT and rule.kind not in known and not rule.met_by & taken
    ]
    if added:
        _start(change, policy, added, _cycle_started_at(complaint))
        deadlines.replan(change, policy, now)


def _cycle_started_at(complaint: Complaint) -> datetime:
    of_cycle = [d.started_at for d in complaint.deadlines if d.cycle == complaint.cycle]
    return min(of_cycle, default=complaint.received_at)


def _taken_in_cycle(complaint: Complaint) -> frozenset[Action]:
    """The actions of the present cycle, as far as the complaint shows them."""
    responses = [
        d.met_at
        for d in complaint.deadlines
        if d.kind == DeadlineKind.FIRST_RESPONSE and d.cycle == complaint.cycle and d.met_at
    ]
    shown = {
        Action.ASSIGN: complaint.assignee,
        Action.RESPOND: responses and responses != [complaint.result_told_at],
        Action.HOLD: any(hold.cycle == complaint.cycle for hold in complaint.holds),
        Action.RESOLVE: complaint.resolved_at,
        Action.NOTIFY_RESULT: complaint.result_told_at,
        Action.RECORD_CONTACT: complaint.contact_outcome,
    }
    return frozenset(action for action, found in shown.items() if found)
