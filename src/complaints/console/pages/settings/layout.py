"""The frame of the pages of settings: the list of parts that a reader may open, and buttons by right."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from complaints.console.page_request import PageRequest
from complaints.console.views.rows import name_of_user
from complaints.console.views.tables import Button, Cell, Table, TableFact
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.access import RIGHTS, Right
from complaints.use_cases.service import Configuration

HOME = "/console/settings"
PARTS = {
    "policies": Right.READ,
    "calendars": Right.READ,
    "departments": Right.READ,
    "teams": Right.READ,
    "people": Right.READ,
    "categories": Right.READ,
    "keys": Right.ADMINISTER,
    "webhooks": Right.CONTRIBUTE,
    "notifications": Right.READ,
    "robots": Right.ADMINISTER,
    "deliveries": Right.READ,
    "audit": Right.AUDIT,
    "imports": Right.READ,
}
"""The parts in their order, each with the right to open it."""


def address_of(part: str, *path: object) -> str:
    """The address of a part, or of a page below it."""
    return "/".join([HOME, part, *(str(one) for one in path)])


def list_parts(request: PageRequest) -> list[str]:
    """The parts that the reader may open."""
    return [part for part, right in PARTS.items() if right in request.caller.rights]


def open_part(request: PageRequest, part: str) -> None:
    """Raise Forbidden if the reader may not open a part."""
    request.caller.require(Right.READ)
    request.caller.require(PARTS[part])


def button(request: PageRequest, label: str, address: str, right: Right, *, danger: bool = False) -> Button:
    """A button. Without the right it says which roles have it."""
    words = request.locale.texts.settings
    if right in request.caller.rights:
        return Button(words.buttons[label], address, danger=danger)
    roles = [request.locale.word("role", role) for role in AccessRole if right in RIGHTS[role]]
    why = str(words.needs_role).format(roles=str(words.list_comma).join(roles))
    return Button(words.buttons[label], address, why, danger)


def show_part(
    request: PageRequest,
    part: str,
    template: str = "settings/page.html",
    *,
    title: str = "",
    note: str = "",
    buttons: Sequence[Button] = (),
    facts: Sequence[TableFact] = (),
    tables: Sequence[Table] = (),
    status: int = 200,
    **values: Any,
) -> Response:
    """The answer with a page of a part. Without a title it has that of the part, and leads to no page above."""
    words = request.locale.texts.settings
    return request.page(
        template,
        status=status,
        part=part,
        parts=list_parts(request),
        title=title or words.parts[part],
        above=bool(title),
        note=note,
        buttons=buttons,
        facts=facts,
        tables=tables,
        done=words.done[done] if (done := request.http.query_params.get("done", "")) in words.done else "",
        **{"search": None, "form": None, **values},
    )


def read_configuration(request: PageRequest) -> Configuration:
    """The newest configuration, as the API shows it."""
    return request.read(lambda tx: request.service.cache.current(tx, certain=True))


def person_cell(directory: Directory, login: str | None) -> Cell:
    """The name of a user, with a link to the user; a dash for nobody."""
    return Cell(name_of_user(directory, login), address_of("people", login)) if login else Cell("–")


def team_names(request: PageRequest, directory: Directory, codes: Sequence[str]) -> str:
    """The names of teams, one after the other."""
    locale = request.locale
    found = (directory.teams.get(code) for code in codes)
    named = [locale.name(team.names, code) if team else code for team, code in zip(found, codes, strict=True)]
    return str(locale.texts.settings.list_comma).join(named)
