"""The robots of group chats, for administrators."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.problems.languages import Language
from complaints.console.forms import SentForm
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings.fields import FieldKind, FormField, make_field
from complaints.console.pages.settings.layout import (
    address_of,
    button,
    open_part,
    read_configuration,
    show_part,
    team_names,
)
from complaints.console.pages.settings.reference_forms import team_options
from complaints.console.pages.settings.sheets import (
    Sheet,
    command_of,
    make_sheet,
    saved,
    send_sheet,
    show_sheet,
)
from complaints.console.pages.settings.teams import active_cell
from complaints.console.views.tables import Cell, Table
from complaints.domain.errors import InvalidContent, NotFound
from complaints.features.notifications import robot_use_cases
from complaints.features.notifications.commands import PutRobot
from complaints.features.notifications.model import RobotKind
from complaints.features.notifications.robot_use_cases import Robot
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import Identifier
from complaints.use_cases.commands.field_types import Content
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.service import Transaction

router = PrefixedRouter(prefix="/robots")
PART = "robots"


class RobotCode(Content):
    """The code of a new robot."""

    code: Identifier


def _list(request: PageRequest) -> list[Robot]:
    return list(request.read(lambda tx: robot_use_cases.list_robots(tx, request.caller)))


def _load(request: PageRequest, code: str) -> Robot:
    found = next((one for one in _list(request) if one.code == code), None)
    if found is None:
        raise NotFound(f"There is no robot {code!r}.")
    return found


@router.get("")
def list_robots(request: SignedIn) -> Response:
    """The robots, without their addresses and secrets."""
    open_part(request, PART)
    words = request.locale.texts.settings
    heads, directory = words.heads, read_configuration(request).directory
    rows = [
        (
            Cell(one.code, address_of(PART, one.code, "change")),
            Cell(words.robot_kinds[one.account.kind], note=urlsplit(one.account.url).hostname or ""),
            Cell(team_names(request, directory, one.teams) or "–"),
            Cell(words.signed if one.account.secret else words.unsigned),
            active_cell(request, active=one.active),
            Cell(words.buttons.delete, address_of(PART, one.code, "delete")),
        )
        for one in _list(request)
    ]
    table = Table(
        (heads.code, heads.kind, heads.teams, heads.signature, heads.state, heads.again),
        rows,
        empty=words.empty.robots,
    )
    buttons = [button(request, "new_robot", address_of(PART, "new"), Right.ADMINISTER)]
    return show_part(request, PART, note=words.notes.robots, buttons=buttons, tables=[table])


@router.get("/new")
def show_new(request: SignedIn) -> Response:
    """The empty form of a robot."""
    return show_sheet(request, _new_sheet(request), {"active": True})


@router.post("/new")
def create_robot(request: SignedIn, form: SentForm) -> Response:
    """Make a robot."""
    sheet = _new_sheet(request)

    def work(tx: Transaction) -> str:
        code = read_command(RobotCode, {"code": form.text("code").strip()}).code
        if any(one.code == code for one in robot_use_cases.list_robots(tx, request.caller)):
            raise InvalidContent.at("/code", f"There is a robot {code!r} already.")
        command = command_of(request, replace(sheet, fields=sheet.fields[1:]), form, PutRobot)
        robot_use_cases.put_robot(request.service, tx, request.caller, code, command)
        return saved(address_of(PART))

    return send_sheet(request, sheet, form, work)


@router.get("/{code}/change")
def show_change(request: SignedIn, code: str) -> Response:
    """The form of a robot. Its address is not shown again: type it once more."""
    sheet, found = _change_sheet(request, code), _load(request, code)
    values = {name: getattr(found, name) for name in ("teams", "language", "active")}
    return show_sheet(request, sheet, values | {"kind": found.account.kind})


@router.post("/{code}/change")
def change_robot(request: SignedIn, code: str, form: SentForm) -> Response:
    """Replace a robot."""
    sheet = _change_sheet(request, code)

    def work(tx: Transaction) -> str:
        command = command_of(request, sheet, form, PutRobot)
        robot_use_cases.put_robot(request.service, tx, request.caller, code, command)
        return saved(address_of(PART))

    return send_sheet(request, sheet, form, work)


@router.get("/{code}/delete")
def show_delete(request: SignedIn, code: str) -> Response:
    """The question before a robot is deleted."""
    return show_sheet(request, _delete_sheet(request, code))


@router.post("/{code}/delete")
def delete_robot(request: SignedIn, code: str, form: SentForm) -> Response:
    """Delete a robot."""

    def work(tx: Transaction) -> str:
        robot_use_cases.delete_robot(tx, request.caller, code)
        return saved(address_of(PART))

    return send_sheet(request, _delete_sheet(request, code), form, work)


def _fields(request: PageRequest) -> Iterator[FormField]:
    locale, words = request.locale, request.locale.texts.settings
    kinds = [(str(one), str(words.robot_kinds[one])) for one in RobotKind]
    teams = team_options(request, read_configuration(request).directory)
    languages = [(str(one), str(words.languages[one])) for one in Language]
    yield make_field(locale, "kind", FieldKind.CHOICE, options=kinds)
    yield make_field(locale, "url", required=True, hint=words.hints.robot_url)
    yield make_field(locale, "secret")
    yield make_field(locale, "teams", FieldKind.CHOICES, options=teams)
    yield make_field(locale, "language", FieldKind.CHOICE, options=languages)
    yield make_field(locale, "active", FieldKind.SWITCH)


def _new_sheet(request: PageRequest) -> Sheet:
    open_part(request, PART)
    fields = (
        make_field(
            request.locale, "code", required=True, hint=request.locale.texts.settings.hints.identifier
        ),
        *_fields(request),
    )
    return make_sheet(request, "new_robot", PART, back=address_of(PART), fields=fields)


def _change_sheet(request: PageRequest, code: str) -> Sheet:
    open_part(request, PART)
    fields = tuple(_fields(request))
    return make_sheet(request, "change_robot", PART, back=address_of(PART), fields=fields, name=code)


def _delete_sheet(request: PageRequest, code: str) -> Sheet:
    open_part(request, PART)
    return make_sheet(request, "delete", PART, back=address_of(PART), danger=True, name=code)
