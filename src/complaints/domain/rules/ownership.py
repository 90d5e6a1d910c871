"""The team, the assignee and the first owner of a complaint after a user left or a team was retired (rule 1.7)."""

from collections.abc import Mapping
from datetime import datetime

from complaints.domain.complaint.change import ENGINE, AnyChange, Change, SubjectChange
from complaints.domain.policy.categories import Category, classify
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.recipients import choose_answerable_user
from complaints.domain.rules.routing import route
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import EventType


def hand_over(
    change: Change,
    directory: Directory,
    now: datetime,
    *,
    leaver: str,
    successor: str | None = None,
    actor: str | None = None,
) -> bool:
    """Hand an open complaint of `leaver` over to `successor`, or to its team. Returns False if there is nothing to do.

    Without a successor, the complaint has no assignee, and its first owner is the user who answers for the team.
    In `directory`, the leaver is not active.
    """
    complaint = change.complaint
    if not complaint.open or leaver not in (complaint.assignee, complaint.first_owner):
        return False
    change.touch(now)
    if complaint.assignee == leaver:
        change.set(assignee=successor)
    if complaint.first_owner == leaver:
        change.set(first_owner=successor or choose_answerable_user(complaint.team, directory))
    change.record(EventType.ASSIGNED, now, actor=actor, left=leaver)
    return True


def hand_over_left_behind(change: AnyChange, directory: Directory, now: datetime) -> None:
    """Hand the complaint or other subject over if its assignee or first owner has left: to the successor, or its team.

    It can get an owner who leaves at the same instant. The engine notices it at the next step.
    """
    for login in (change.subject.assignee, change.subject.first_owner):
        if login is None or not has_left(login, directory):
            continue
        successor = directory.find_successor(login)
        if isinstance(change, Change):
            hand_over(change, directory, now, leaver=login, successor=successor, actor=ENGINE)
        elif isinstance(change, SubjectChange):
            hand_over_subject(change, directory, now, successor=successor, actor=ENGINE)


def hand_over_subject(
    change: SubjectChange,
    directory: Directory,
    now: datetime,
    *,
    successor: str | None = None,
    actor: str | None = None,
) -> bool:
    """Give an open subject to `successor`, or else to the user who answers for its team. Returns False if it stays."""
    subject = change.subject
    owner = successor or choose_answerable_user(subject.team, directory)
    if not subject.open or owner == subject.owner:
        return False
    change.touch(now)
    change.set(owner=owner)
    change.record(EventType.ASSIGNED, now, actor=actor, left=subject.owner)
    return True


def renew_ownership(
    change: Change, policy: Policy, directory: Directory, categories: Mapping[str, Category]
) -> None:
    """Replace a retired team by routing, and users who left, as the complaint is worked on again (rule 1.7)."""
    complaint = change.complaint
    team, assignee, first_owner = complaint.team, complaint.assignee, complaint.first_owner
    if team in directory.teams and not directory.teams[team].active:
        category = classify(complaint.category, categories, retired_too=True)
        team = route(policy, category=category, region=complaint.region, directory=directory)
        assignee = None
    if assignee is not None and has_left(assignee, directory):
        assignee = None
    if has_left(first_owner, directory):
        first_owner = choose_answerable_user(team, directory)
    change.set(team=team, assignee=assignee, first_owner=first_owner)


def has_left(login: str, directory: Directory) -> bool:
    """True if the user is known and no longer active."""
    user = directory.users.get(login)
    return user is not None and not user.active
