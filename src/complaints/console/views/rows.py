"""A row of a list of complaints, and the columns that a reader may choose."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.console.locale import Locale
from complaints.console.views.clock_badges import UNMET, ClockBadge, badge_of, find_nearest_clock
from complaints.domain.complaint.numbers import number_of
from complaints.domain.policy.categories import Category
from complaints.domain.staff import Directory, Team
from complaints.domain.vocabulary import PriorityReason
from complaints.use_cases.complaints.views import ComplaintParts

COLUMNS = ("priority", "status", "level", "received", "team", "clock")
"""Every column that may be chosen, in the order of the table. Tick, number and subject are always there."""
USUAL_COLUMNS = ("priority", "team", "clock")


@dataclass(frozen=True, slots=True)
class ListRow:
    """The texts of a row. `team` and `assignee` are names; "" if there is none. `badge` is of the nearest clock.

    `actions` are the names of the actions that the reader may take. `level` is the highest level of an escalation.
    `fits` is False for a complaint that fits the filters of its list no more. `received_at` is in UTC. The row is true
    at `now`.
    """

    id: UUID
    number: str
    version: int
    subject: str
    about: str
    status_code: str
    status: str
    priority: str
    priority_word: str
    team: str
    assignee: str
    level: int
    received_at: datetime
    badge: ClockBadge | None
    actions: tuple[str, ...]
    now: datetime
    fits: bool = True


def row_of(
    parts: ComplaintParts,
    *,
    locale: Locale,
    directory: Directory,
    categories: Mapping[str, Category],
    fits: bool = True,
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
        status_code=str(members["status"]),
        status=locale.word("status", members["status"]),
        priority=str(members["priority"]),
        priority_word=locale.word("priority", members["priority"]),
        team=_name_of_team(directory.teams.get(members["team"]), members["team"], locale),
        assignee=name_of_user(directory, members["assignee"]),
        level=max((one["level"] for one in parts.deadlines if one["status"] in UNMET), default=0),
        received_at=members["received_at"],
        badge=badge_of(nearest, parts.now, locale) if nearest is not None else None,
        actions=tuple(str(action) for action in parts.allowed),
        now=parts.now,
        fits=fits,
    )


def choose_columns(names: Iterable[str]) -> tuple[str, ...]:
    """The named columns in the order of the table; the usual ones if none is named. Unknown names are left out."""
    chosen = {*names}
    return tuple(name for name in COLUMNS if name in chosen) or USUAL_COLUMNS


def _about(members: Mapping[str, Any], locale: Locale, categories: Mapping[str, Category]) -> str:
    """The second line of a row: category, region and channel, and the mark of a repeated complaint."""
    is_repeat = PriorityReason.REPEAT in members["priority_reasons"]
    repeat = locale.word("priority_reason", PriorityReason.REPEAT) if is_repeat else ""
    said = (
        *name_category(members["category"], locale, categories),
        members["region"],
        locale.word("channel", members["channel"]),
        repeat,
    )
    return " · ".join(part for part in said if part)


def name_category(
    code: str | None, locale: Locale, categories: Mapping[str, Category]
) -> tuple[str | None, ...]:
    """The name of a category behind the name of its parent."""
    category = categories.get(code or "")
    if category is None:
        return (code,)
    own, parent = locale.name(category.names, category.code), categories.get(category.parent or "")
    return (locale.name(parent.names, parent.code), own) if parent else (own,)


def _name_of_team(team: Team | None, code: str | None, locale: Locale) -> str:
    return locale.name(team.names, team.code) if team else code or ""


def name_of_user(directory: Directory, login: str | None) -> str:
    """The name of a user; the login if the user is unknown; "" for nobody."""
    user = directory.users.get(login or "")
    return user.name if user else login or ""
