"""A row of a list of complaints."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from complaints.console.locale import Locale
from complaints.console.views.clock_badges import ClockBadge, badge_of, find_nearest_clock
from complaints.domain.complaint.numbers import number_of
from complaints.domain.policy.categories import Category
from complaints.domain.staff import Directory, Team
from complaints.use_cases.complaints.views import ComplaintParts


@dataclass(frozen=True, slots=True)
class ListRow:
    """The texts of a row. `team` and `assignee` are names; "" if there is none. `badge` is of the nearest clock."""

    id: UUID
    number: str
    version: int
    subject: str
    about: str
    status: str
    priority: str
    priority_word: str
    team: str
    assignee: str
    badge: ClockBadge | None


def row_of(
    parts: ComplaintParts, *, locale: Locale, directory: Directory, categories: Mapping[str, Category]
) -> ListRow:
    """The row of one complaint."""
    members = parts.members
    nearest = find_nearest_clock(parts.deadlines)
    return ListRow(
        id=members["id"],
        number=number_of(members["sequence"]),
        version=members["version"],
        subject=members["subject"],
        about=_about(members, locale, categories),
        status=locale.word("status", members["status"]),
        priority=str(members["priority"]),
        priority_word=locale.word("priority", members["priority"]),
        team=_name_of_team(directory.teams.get(members["team"]), members["team"], locale),
        assignee=name_of_user(directory, members["assignee"]),
        badge=badge_of(nearest, parts.now, locale) if nearest is not None else None,
    )


def _about(members: Mapping[str, Any], locale: Locale, categories: Mapping[str, Category]) -> str:
    """The second line of a row: category, region and channel."""
    category = categories.get(members["category"] or "")
    named = locale.name(category.names, category.code) if category else members["category"]
    said = (named, members["region"], locale.word("channel", members["channel"]))
    return " · ".join(part for part in said if part)


def _name_of_team(team: Team | None, code: str | None, locale: Locale) -> str:
    return locale.name(team.names, team.code) if team else code or ""


def name_of_user(directory: Directory, login: str | None) -> str:
    """The name of a user; the login if the user is unknown; "" for nobody."""
    user = directory.users.get(login or "")
    return user.name if user else login or ""
