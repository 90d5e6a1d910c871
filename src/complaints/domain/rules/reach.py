"""The reach of a user: the complaints that the user may know of in each role (rules 7.1 and 7.2)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from complaints.domain.rules.recipients import find_represented_users
from complaints.domain.scope import ALL_COMPLAINTS, NO_COMPLAINTS, Scope, ScopeKind
from complaints.domain.staff import Directory, User
from complaints.domain.vocabulary import AccessRole, UserScope

_OF_ALL = frozenset({AccessRole.MANAGER, AccessRole.AUDITOR, AccessRole.ADMIN})
_NAMED: dict[UserScope, Callable[[Collection[str]], Scope]] = {
    UserScope.DEPARTMENTS: Scope.departments,
    UserScope.TEAMS: Scope.teams,
    UserScope.SOURCES: Scope.sources,
}


@dataclass(frozen=True, slots=True, eq=False)
class UserReach:
    """The scopes of one user under one version of the configuration. The directory is that of the primary."""

    user: User
    directory: Directory
    _scopes: dict[frozenset[AccessRole], Scope] = field(default_factory=dict, init=False)

    def scope_in(self, roles: frozenset[AccessRole]) -> Scope:
        """The complaints that the user may know of in any of these roles of the staff."""
        if roles not in self._scopes:
            self._scopes[roles] = find_staff_scope(self.user, roles, self.directory)
        return self._scopes[roles]

    def represented(self, now: datetime) -> tuple[str, ...]:
        """The logins of the users for whom the user stands in at `now` (rule 3.10)."""
        return find_represented_users(self.user.login, self.directory, now)


def find_staff_scope(user: User, roles: frozenset[AccessRole], directory: Directory) -> Scope:
    """The scope that `user` was given, otherwise the widest of those that follow from `roles` (rules 7.1 and 7.2).

    Departments are already replaced by their teams.
    """
    if user.scope is not None:
        return directory.resolve(_given_scope(user, user.scope))
    if roles & _OF_ALL:
        return ALL_COMPLAINTS
    own = _find_own_teams(user, directory)
    if AccessRole.SUPERVISOR in roles:
        return directory.resolve(Scope.departments(_find_own_departments(user, own, directory)))
    return Scope.teams(own) if AccessRole.AGENT in roles else NO_COMPLAINTS


def _given_scope(user: User, scope: UserScope) -> Scope:
    """The scope `own` is a list of what is assigned to the user; rules 7.3 and 7.4 add the rest."""
    if scope is UserScope.ALL:
        return ALL_COMPLAINTS
    if scope is UserScope.OWN:
        return Scope.own(ScopeKind.ASSIGNEE, user.login)
    return _NAMED[scope](user.scope_names)


def _find_own_teams(user: User, directory: Directory) -> set[str]:
    """The teams to which the user belongs, and those that the user leads or whose deputy the user is."""
    led = (team.code for team in directory.teams.values() if user.login in (team.lead, team.deputy))
    return {*user.teams, *led}


def _find_own_departments(user: User, teams: Collection[str], directory: Directory) -> set[str]:
    """The departments of these teams, and those whose head the user is."""
    headed = (one.code for one in directory.departments.values() if one.head == user.login)
    return {directory.teams[code].department for code in teams if code in directory.teams} | {*headed}
