"""Saved views as links with the number of their complaints."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from complaints.console.locale import Locale
from complaints.domain.staff import Directory
from complaints.use_cases.complaints.lists import ListCount
from complaints.use_cases.work.saved_views import SavedView


@dataclass(frozen=True, slots=True)
class SavedViewLink:
    """A saved view. `count` is "" if it was not counted. `team` is the name of the team that sees it too."""

    id: UUID
    name: str
    address: str
    count: str
    team: str
    owner: str
    is_own: bool
    is_home: bool
    is_shown: bool


def link_views(
    views: Iterable[SavedView],
    *,
    login: str,
    shown: str,
    counts: Mapping[UUID, ListCount],
    directory: Directory,
    locale: Locale,
) -> list[SavedViewLink]:
    """The links. `shown` is the present address."""
    return [
        SavedViewLink(
            id=view.id,
            name=view.name,
            address=(address := address_of_view(view)),
            count=_say_count(counts.get(view.id), locale),
            team=_name_of_team(directory, view.team, locale),
            owner=directory.users[view.owner].name if view.owner in directory.users else view.owner,
            is_own=view.owner == login,
            is_home=view.is_home and view.owner == login,
            is_shown=address == shown,
        )
        for view in views
    ]


def address_of_view(view: SavedView) -> str:
    """The address of the list that a view keeps."""
    return f"/console/{view.page}" + (f"?{view.query}" if view.query else "")


def _say_count(count: ListCount | None, locale: Locale) -> str:
    if count is None:
        return ""
    return locale.number(count.count) + ("+" if count.is_minimum else "")


def _name_of_team(directory: Directory, code: str | None, locale: Locale) -> str:
    team = directory.teams.get(code or "")
    return locale.name(team.names, team.code) if team else code or ""
