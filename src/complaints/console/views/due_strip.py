"""The strip of figures above the overdue complaints: how many, how late, whose. Each figure is a link."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from complaints.console.locale import Locale
from complaints.console.views.addresses import ListAddress
from complaints.domain.staff import Team
from complaints.use_cases.complaints.lists import DueFigures

_MOST_TEAMS = 4
_NOTHING = "–"


@dataclass(frozen=True, slots=True)
class StripFigure:
    """A number with its words, and the address of the complaints that it counts. `tone`: late, soon, or none."""

    value: str
    label: str
    address: str
    tone: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class TeamBar:
    """The overdue complaints of a team. `share` is the part of all overdue ones, in percent."""

    name: str
    count: str
    share: int
    address: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class DueStrip:
    """The figures, the teams with most overdue complaints, and the number of teams that are left out."""

    figures: tuple[StripFigure, ...]
    teams: tuple[TeamBar, ...]
    other_teams: int


def strip_of(
    found: DueFigures, now: datetime, address: ListAddress, locale: Locale, teams: Mapping[str, Team]
) -> DueStrip:
    """The strip at `now`. A figure of the present list is marked as shown."""
    words, start = locale.texts.overdue.figures, ListAddress(address.path)
    late = "late" if found.overdue else ""
    oldest = _NOTHING if found.oldest_at is None else locale.duration(now - found.oldest_at)
    present = address.link()
    made = [
        (locale.number(found.overdue), words.overdue, start.path, late),
        (oldest, words.oldest, start.link(sort="next_due_at"), late),
        (
            locale.number(found.soon_due),
            words.soon,
            start.link(show="soon"),
            "soon" if found.soon_due else "",
        ),
        (locale.number(found.unassigned), words.unassigned, start.link(assignee="none"), ""),
    ]
    figures = tuple(StripFigure(value, label, to, tone, to == present) for value, label, to, tone in made)
    shown = [*found.by_team.items()][:_MOST_TEAMS]
    bars = tuple(
        TeamBar(
            name=locale.name(teams[code].names, code) if code in teams else code,
            count=locale.number(count),
            share=round(100 * count / found.overdue),
            address=start.link(team=code),
            is_shown=address.value("team") == code,
        )
        for code, count in shown
    )
    return DueStrip(figures, bars, len(found.by_team) - len(shown))
