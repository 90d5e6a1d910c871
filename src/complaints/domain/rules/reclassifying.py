"""Another category, region or severity of a complaint: its team and its priority follow (rules 5.6 and 5.7)."""

from collections.abc import Callable
from datetime import datetime

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint
from complaints.domain.policy.categories import Category
from complaints.domain.policy.circumstances import NARROWING
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines, own_deadlines, routing
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import Priority

_CHOOSING = ("priority", "category", *NARROWING)
"""The members by which a policy chooses targets."""

Classify = Callable[[str | None], Category | None]
"""Finds the category of a code, also one that is retired."""


def set_category(change: Change, category: Category | None) -> None:
    """Set the category with its cause and nature. Without a category, the cause that the result found stays."""
    before = change.complaint
    cause = category.cause if category else before.cause if before.resolved_at else None
    change.set(
        category=category.code if category else None,
        cause=cause,
        nature=category.nature if category else None,
    )


def route_again(
    change: Change,
    before: Complaint,
    policy: Policy,
    *,
    directory: Directory,
    classify: Classify,
    is_assigned_by_hand: Callable[[], bool],
) -> None:
    """Routing decides again, unless a user was assigned by hand. A region decides only if a route names it.

    `before` is the complaint before its category or region changed. The source is rule 5.7.
    """
    complaint = change.complaint

    def route(one: Complaint) -> str:
        return routing.route(policy, category=classify(one.category), region=one.region, directory=directory)

    team = route(complaint)
    is_same_category = complaint.category == before.category
    if team == complaint.team or (is_same_category and team == route(before)):
        return
    if complaint.open and not is_assigned_by_hand():
        change.set(team=team, assignee=None)


def give_priority(change: Change, priority: Priority | None) -> None:
    """Set a priority that a user gives. It counts as given, and nothing raised it (rule 5.6)."""
    change.set(priority=priority, priority_given=True, priority_raised_by=())


def clear_priority(change: Change, policy: Policy, *, vulnerable: bool, repeat: bool) -> None:
    """Derive the priority as at intake, because the given priority was cleared (rule 5.6)."""
    complaint, rule = change.complaint, policy.priorities
    channel = complaint.channel
    change.set(
        priority=routing.derive_priority(
            rule, severity=complaint.severity, vulnerable=vulnerable, repeat=repeat, channel=channel
        ),
        priority_given=False,
        priority_raised_by=routing.find_raises(rule, vulnerable=vulnerable, repeat=repeat, channel=channel),
    )


def follow_severity(change: Change, before: Complaint, policy: Policy, *, vulnerable: bool | None) -> None:
    """Derive the priority from a new severity or a new `vulnerable`, unless it was given (rule 5.6).

    `before` is the complaint before the change. `vulnerable` is None if that stays as it is.
    """
    severity = change.complaint.severity
    if before.priority_given or (vulnerable is None and severity is before.severity):
        return
    priority, raised_by = routing.derive_again(
        policy.priorities, before, severity=severity, vulnerable=vulnerable
    )
    change.set(priority=priority, priority_raised_by=raised_by)


def replan_changed(change: Change, before: Complaint, policy: Policy, now: datetime) -> None:
    """Start own deadlines of another team, and compute deadlines whose targets a changed member chooses (rule 2.8).

    `before` is the complaint before the change.
    """
    own_deadlines.follow_owner(change, policy, before, now)
    if any(getattr(change.complaint, name) != getattr(before, name) for name in _CHOOSING):
        deadlines.replan(change, policy, now, retarget=True)
