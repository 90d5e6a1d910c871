"""Staff: users, teams and departments, and the directory that finds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


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
