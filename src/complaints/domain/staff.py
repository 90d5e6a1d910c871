"""Staff: users, teams and departments, and the directory that finds them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from complaints.domain.scope import Scope, ScopeKind


@dataclass(frozen=True, slots=True)
class User:
    """A person who works on complaints. Absent from `absent_from` until before `absent_until`."""

    login: str
    name: str
    active: bool = True
    email: str | None = None
    deputy: str | None = None
    absent_from: datetime | None = None
    absent_until: datetime | None = None

    def available(self, now: datetime) -> bool:
        """Whether they can be reached at `now`."""
        absent = self.absent_from is not None and self.absent_from <= now
        return self.active and not (absent and (self.absent_until is None or now < self.absent_until))


@dataclass(frozen=True, slots=True)
class Team:
    """People who work on complaints together."""

    code: str
    names: Mapping[str, str]
    department: str
    lead: str | None = None
    deputy: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Department:
    """Teams under one head; the department without a parent is the top, its head the executive."""

    code: str
    names: Mapping[str, str]
    head: str | None = None
    deputy: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Directory:
    """Who is who, by login and code."""

    users: Mapping[str, User]
    teams: Mapping[str, Team]
    departments: Mapping[str, Department]

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
