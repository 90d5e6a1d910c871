"""The staff of the house: users, teams and departments, and the directory that holds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class User:
    """A member of the staff who works on complaints.

    A user is absent from `absent_from` until before `absent_until`, both in UTC. Without `absent_until`, the
    absence has no end.
    """

    login: str
    name: str
    active: bool = True
    email: str | None = None
    deputy: str | None = None
    absent_from: datetime | None = None
    absent_until: datetime | None = None

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
class Directory:
    """All users by login, all teams and departments by code."""

    users: Mapping[str, User]
    teams: Mapping[str, Team]
    departments: Mapping[str, Department]
