"""The first page of the settings: every part that the reader may open, and what needs care."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings.layout import list_parts, read_configuration, show_part
from complaints.use_cases.access import Right
from complaints.use_cases.service import Configuration

router = APIRouter()


@dataclass(frozen=True, slots=True)
class _Card:
    """A part, how much it has, and warnings about it."""

    part: str
    figure: str
    warnings: tuple[str, ...] = ()


@router.get("")
def show_overview(request: SignedIn) -> Response:
    """The parts of the settings."""
    request.caller.require(Right.READ)
    configuration = read_configuration(request)
    figures = _count(configuration)
    words = request.locale.texts.settings
    cards = [
        _Card(
            part,
            str(words.figures[part]).format(count=figures[part]) if part in figures else "",
            tuple(_warn_of_holidays(request, configuration)) if part == "calendars" else (),
        )
        for part in list_parts(request)
    ]
    return show_part(request, "overview", "settings/overview.html", cards=cards)


def _count(configuration: Configuration) -> dict[str, int]:
    directory = configuration.directory
    return {
        "policies": len({code for code, _ in configuration.policies}),
        "calendars": len(configuration.calendars),
        "departments": len(directory.departments),
        "teams": sum(team.active for team in directory.teams.values()),
        "people": sum(user.active for user in directory.users.values()),
        "categories": sum(one.active for one in configuration.categories.values()),
    }


def _warn_of_holidays(request: PageRequest, configuration: Configuration) -> Iterator[str]:
    """The years whose holidays are not officially published, of the policies in force now or later."""
    now = request.read(lambda tx: tx.now)
    form = str(request.locale.texts.settings.unconfirmed)
    found = {
        (calendar, table.year)
        for policy in configuration.side_by_side.list_now_or_later(now)
        for calendar, tables in policy.holiday_tables.items()
        for table in tables
        if not table.confirmed and table.year >= now.year
    }
    return (form.format(calendar=calendar, year=year) for calendar, year in sorted(found))
