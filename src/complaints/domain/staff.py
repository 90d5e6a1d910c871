"""The staff of the house: users, teams and departments, and the directory that holds them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from complaints.domain.scope import Scope, ScopeKind
from complaints.domain.vocabulary import AccessRole, UserScope


@dataclass(frozen=True, slots=True)
class User:
    """A member of the staff who works on complaints.

    A user is absent from `absent_from` until before `absent_until`, both in UTC. Without `absent_until`, the
    absence has no end. `teams` are the codes of the teams to which the user belongs. `roles` None: no role was
    given, so the user cannot sign in, and keys of the user act by their own roles. `scope` None: it follows from the
    roles; `scope_names` are the departments, teams or sources of a given scope.
    """

    login: str
    name: str
    active: bool = True
    email: str | None = None
    deputy: str | None = None
    absent_from: datetime | None = None
    absent_until: datetime | None = None
    roles: tuple[AccessRole, ...] | None = None
    teams: tuple[str, ...] = ()
    scope: UserScope | None = None
    scope_names: tuple[str, ...] = ()

    def available(self, now: datetime) -> bool:
        """True if the user is active and not absent at `now`."""
        absent = self.absent_from is not None and self.absent_from <= now
        return self.active and not (absent and (self.absent_until is None or now < self.absent_until))


@dataclass(frozen=True, slots=True)
class Team:
    """Users who work on complaints together. `names` are by language."""

    code: str
    names: Mapping[str, str]
    department: str
    lead: str | None = None
    deputy: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Department:
    """Teams under one head. The department without parent is the top; its head is the executive."""

    code: str
    names: Mapping[str, str]
    head: str | None = None
    deputy: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class DutyShift:
    """A time in which a user is on duty for a team: from `on_duty_from` until before `on_duty_until`, in UTC."""

    login: str
    on_duty_from: datetime
    on_duty_until: datetime


@dataclass(frozen=True, slots=True)
class Directory:
    """All users by login, all teams and departments by code.

    `duty` has the duty rotas by the code of the team. `leaving` are the users who left and whose complaints are being
    handed over, each with the successor, or None.
    """

    users: Mapping[str, User]
    teams: Mapping[str, Team]
    departments: Mapping[str, Department]
    duty: Mapping[str, tuple[DutyShift, ...]] = field(default_factory=dict)
    leaving: Mapping[str, str | None] = field(default_factory=dict)

    def find_successor(self, login: str) -> str | None:
        """The active successor of a user whose complaints are being handed over; None if there is none."""
        user = self.users.get(self.leaving.get(login) or "")
        return user.login if user is not None and user.active else None

    def resolve(self, scope: Scope) -> Scope:
        """The scope with departments replaced by their teams, and by the teams of the departments below them."""
        if scope.kind is not ScopeKind.DEPARTMENTS:
            return scope
        return Scope.teams(
            team.code for team in self.teams.values() if self._is_within(team.department, scope.names)
        )

    def _is_within(self, code: str | None, departments: Collection[str]) -> bool:
        """True if the department, or one above it, is among `departments`."""
        seen: set[str] = set()
        while code is not None and code not in seen:
            if code in departments:
                return True
            seen.add(code)
            above = self.departments.get(code)
            code = above.parent if above else None
        return False
