"""Scope: which complaints a caller may know of. A right says which calls; a scope says on which complaints.

`Scope.admits` decides in memory. `storage.rows.scope_condition` gives the same answer as SQL.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class ScopeKind(StrEnum):
    """The member of a complaint that a scope compares with its names; `ALL` compares nothing."""

    ALL = "all"
    SOURCES = "sources"
    TEAMS = "teams"
    DEPARTMENTS = "departments"
    ASSIGNEE = "assignee"
    FIRST_OWNER = "first_owner"
    RECIPIENT = "recipient"


OWN_KINDS = frozenset({ScopeKind.ASSIGNEE, ScopeKind.FIRST_OWNER, ScopeKind.RECIPIENT})


class ScopedComplaint(Protocol):
    """The members of a complaint that a scope looks at. `Complaint` has them, and so has a row of its table."""

    @property
    def source(self) -> str:
        """The system that sent the complaint."""

    @property
    def team(self) -> str:
        """The code of the team that works on the complaint now."""

    @property
    def assignee(self) -> str | None:
        """The login of the user who works on the complaint now, if any."""

    @property
    def first_owner(self) -> str:
        """The login of the user who took the complaint first."""


class UnresolvedScope(ValueError):
    """A scope of departments was used before `Directory.resolve` turned the departments into teams."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The complaints of `names`: sources, team codes, department codes, or one login. Without names: none.

    A scope compares one member only. Two members joined by OR would use no index: a page of a million
    complaints then takes 30 ms and more, instead of 0.2 ms.
    """

    kind: ScopeKind
    names: frozenset[str] = frozenset()

    @classmethod
    def sources(cls, names: Iterable[str]) -> "Scope":
        """The complaints of these sources."""
        return cls(ScopeKind.SOURCES, frozenset(names))

    @classmethod
    def teams(cls, codes: Iterable[str]) -> "Scope":
        """The complaints of these teams."""
        return cls(ScopeKind.TEAMS, frozenset(codes))

    @classmethod
    def departments(cls, codes: Iterable[str]) -> "Scope":
        """The complaints of the teams of these departments. `Directory.resolve` turns it into teams."""
        return cls(ScopeKind.DEPARTMENTS, frozenset(codes))

    @classmethod
    def own(cls, kind: ScopeKind, login: str) -> "Scope":
        """The complaints of one user, found by one of `OWN_KINDS`. Raises ValueError for another kind."""
        if kind not in OWN_KINDS:
            raise ValueError(f"a scope {kind} does not belong to one user")
        return cls(kind, frozenset({login}))

    def admits(self, complaint: ScopedComplaint, *, recipients: Collection[str] = ()) -> bool:
        """True if the caller may know of the complaint.

        `recipients` are the logins that were notified of any escalation of the complaint. Only a scope of kind
        `recipient` looks at them. Raises UnresolvedScope.
        """
        match self.kind:
            case ScopeKind.ALL:
                return True
            case ScopeKind.SOURCES:
                return complaint.source in self.names
            case ScopeKind.TEAMS:
                return complaint.team in self.names
            case ScopeKind.ASSIGNEE:
                return complaint.assignee in self.names
            case ScopeKind.FIRST_OWNER:
                return complaint.first_owner in self.names
            case ScopeKind.RECIPIENT:
                return not self.names.isdisjoint(recipients)
            case ScopeKind.DEPARTMENTS:
                raise UnresolvedScope

    def admits_source(self, source: str) -> bool:
        """True unless the scope is limited to other sources. For things that have a source but no team."""
        return self.kind is not ScopeKind.SOURCES or source in self.names


ALL_COMPLAINTS = Scope(ScopeKind.ALL)
NO_COMPLAINTS = Scope(ScopeKind.TEAMS)
