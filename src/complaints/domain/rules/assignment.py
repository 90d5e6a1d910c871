"""Assignment by policy: who gets a complaint that enters a team without an assignee (rules 5.9 and 5.10)."""

from collections.abc import Mapping, Sequence

from complaints.domain.complaint.change import ENGINE, Change
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import own_deadlines
from complaints.domain.rules.duty import find_on_duty
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import Action, AssignmentMethod, EventType


def find_method(change: Change, policy: Policy) -> AssignmentMethod | None:
    """The method by which the complaint gets an assignee after `change`. None: it gets none by policy.

    An open complaint without assignee gets one if it is new, came into another team, or was reopened.
    """
    complaint, before = change.complaint, change.before
    if complaint.assignee is not None or not complaint.open:
        return None
    is_entering = before is None or before.team != complaint.team
    was_reopened = any(event.type == EventType.REOPENED for event in change.events)
    return policy.assignment.get(complaint.team) if is_entering or was_reopened else None


def list_candidates(change: Change, policy: Policy, directory: Directory) -> list[str]:
    """The logins of the members of the team who can take the complaint at the end of `change`, in order (rule 5.10)."""
    team, now = change.complaint.team, change.events[-1].at
    members = sorted(
        user.login for user in directory.users.values() if team in user.teams and user.available(now)
    )
    on_duty = find_on_duty(team, directory, policy, now)
    return [login for login in members if login in on_duty] if on_duty else members


def choose_next(candidates: Sequence[str], last: str | None) -> str:
    """The candidate whose turn comes after the user `last`, in the order of logins. After the end comes the first."""
    return next((login for login in candidates if last is None or login > last), candidates[0])


def choose_least_loaded(candidates: Sequence[str], open_counts: Mapping[str, int]) -> str:
    """The candidate with the fewest open complaints, the first by login if several have as few."""
    return min(candidates, key=lambda login: (open_counts.get(login, 0), login))


def assign(change: Change, login: str, method: AssignmentMethod, policy: Policy) -> None:
    """Give the complaint its assignee, at the instant of the last event. The event names the method.

    It meets and starts own deadlines as the action `assign` does.
    """
    now, before = change.events[-1].at, change.complaint
    change.touch(now)
    own_deadlines.meet_by(change, policy, Action.ASSIGN, now)
    change.set(assignee=login)
    own_deadlines.follow_owner(change, policy, before, now)
    change.record(EventType.ASSIGNED, now, actor=ENGINE, by=method)
