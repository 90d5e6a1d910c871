"""The users who get an escalation, found from the roles of its step (rule 3.6)."""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Protocol

from complaints.domain.errors import Conflict
from complaints.domain.staff import Department, Directory, User
from complaints.domain.vocabulary import RecipientRole


class Owned(Protocol):
    """The members of a complaint or another subject from which its recipients follow."""

    @property
    def team(self) -> str:
        """The code of the team that works on it now."""

    @property
    def assignee(self) -> str | None:
        """The login of the user who works on it now, if any."""

    @property
    def first_owner(self) -> str:
        """The login of the user who answers for it."""


USER, TEAM = "user", "team"
_NAMED = re.compile(f"({USER}|{TEAM}):(.+)")
_CHAIN = (RecipientRole.TEAM_LEAD, RecipientRole.DEPARTMENT_HEAD, RecipientRole.EXECUTIVE)


def parse_named(recipient: str) -> tuple[str, str] | None:
    """The kind (`USER` or `TEAM`) and the name of a named recipient, such as `user:zhang.wei`. None for a role."""
    found = _NAMED.fullmatch(recipient)
    return (found[1], found[2]) if found else None


def is_gone(recipient: str, directory: Directory) -> bool:
    """True for a named user or a named team that is not active, or unknown. A role never leaves."""
    named = parse_named(recipient)
    if named is None:
        return False
    found = directory.users.get(named[1]) if named[0] == USER else directory.teams.get(named[1])
    return found is None or not found.active


def find_recipients(
    roles: Iterable[str], owned: Owned, directory: Directory, now: datetime
) -> tuple[str, ...]:
    """The logins of the recipients for `roles` at `now`, each login once. Empty if there are none (rule 3.6)."""
    found = (find_recipient(role, owned, directory, now) for role in roles)
    return tuple(dict.fromkeys(login for login in found if login))


def find_recipient(role: str, owned: Owned, directory: Directory, now: datetime) -> str | None:
    """The login of the user who gets an escalation for `role`. None if nobody does.

    It is the holder of the role, otherwise the deputy, otherwise the same for the next role up. `role` may be a named
    recipient (rule 3.13).
    """
    for candidate in _candidates(role, owned, directory):
        if (login := find_reachable_user(candidate, directory, now)) is not None:
            return login
    return None


def _candidates(role: str, owned: Owned, directory: Directory) -> Iterator[str | None]:
    """The logins to try for a role, in order. For a named user, the leads of the complaint come next."""
    roles, named = list(RecipientRole), parse_named(role)
    if named and named[0] == TEAM:
        yield from chain.from_iterable(_holders_by_role(named[1], directory))
    elif named:
        yield named[1]
    first = RecipientRole.TEAM_LEAD if named else RecipientRole(role)
    for candidate_role in roles[roles.index(first) :]:
        yield from _holders(candidate_role, owned, directory)


def find_represented_users(login: str, directory: Directory, now: datetime) -> tuple[str, ...]:
    """The logins of the users for whom `login` stands in at `now`: their escalations are for `login` too (rule 3.10).

    Such a user is absent or not active. `login` is the deputy of the user. Or nobody else stands in, and `login` is
    the deputy of a team or department that the user leads.
    """
    return tuple(
        user.login
        for user in directory.users.values()
        if not user.available(now) and login in _find_stand_ins(user, directory, now)
    )


def _find_stand_ins(user: User, directory: Directory, now: datetime) -> list[str | None]:
    if find_reachable_user(user.login, directory, now) is not None:
        return [user.deputy]
    teams = [team.deputy for team in directory.teams.values() if team.lead == user.login]
    departments = [one.deputy for one in directory.departments.values() if one.head == user.login]
    return [*teams, *departments]


def list_teams_under(logins: Collection[str], directory: Directory) -> list[str]:
    """The codes of the teams over which one of these users holds a role, as holder or deputy."""
    return [
        code
        for code in directory.teams
        if any(login in logins for holders in _holders_by_role(code, directory) for login in holders)
    ]


def choose_answerable_user(team_code: str, directory: Directory) -> str:
    """The login of the user who answers for a team, absent or not (rule 1.5).

    It is the first active user of these: the lead of the team, the deputy of the team, the head of the
    department, its deputy, the executive, the deputy of the executive. Otherwise it is the first active user
    by login. Raises Conflict if no user is active; the configuration never allows this.
    """
    for holders in _holders_by_role(team_code, directory):
        for login in holders:
            if login and (user := directory.users.get(login)) and user.active:
                return login
    everybody = sorted(login for login, user in directory.users.items() if user.active)
    if not everybody:
        raise Conflict("Nobody can answer for complaints: make an active user first.")
    return everybody[0]


def _holders(role: RecipientRole, owned: Owned, directory: Directory) -> list[str | None]:
    if role is RecipientRole.ASSIGNEE:
        return [owned.assignee]
    if role is RecipientRole.FIRST_OWNER:
        return [owned.first_owner]
    return _holders_by_role(owned.team, directory)[_CHAIN.index(role)]


def _holders_by_role(team_code: str, directory: Directory) -> list[list[str | None]]:
    """The holder and the deputy for each role of `_CHAIN` over a team, as logins."""
    team = directory.teams.get(team_code)
    department = directory.departments.get(team.department) if team else None
    top = _find_top_department(department, directory)
    return [
        [team.lead, team.deputy] if team else [],
        [department.head, department.deputy] if department else [],
        [top.head, top.deputy] if top else [],
    ]


def _find_top_department(department: Department | None, directory: Directory) -> Department | None:
    seen: set[str] = set()
    while department and department.parent and department.code not in seen:
        seen.add(department.code)
        department = directory.departments.get(department.parent)
    return department


def find_reachable_user(login: str | None, directory: Directory, now: datetime) -> str | None:
    """The user, or the deputy if the user is absent or not active. None if neither can be reached at `now`."""
    user = directory.users.get(login) if login else None
    if user is None or user.available(now):
        return user.login if user else None
    stand_in = directory.users.get(user.deputy) if user.deputy else None
    return stand_in.login if stand_in and stand_in.available(now) else None
