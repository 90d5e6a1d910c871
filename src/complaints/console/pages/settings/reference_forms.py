"""The forms that create and change departments, teams and categories. Each of the three is a `ReferenceKind`."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from complaints.console.forms import FormFields
from complaints.console.page_request import PageRequest
from complaints.console.pages.settings.fields import FieldKind, FormField, Options, make_field
from complaints.console.pages.settings.layout import address_of
from complaints.console.pages.settings.sheets import (
    Sheet,
    command_of,
    make_sheet,
    saved,
    send_sheet,
)
from complaints.domain.staff import Directory
from complaints.use_cases.access import Right
from complaints.use_cases.commands.field_types import Content
from complaints.use_cases.configuration.reference_data import ReferenceKind
from complaints.use_cases.service import Transaction

Kind = ReferenceKind[Any, Any, Any]


def new_sheet(request: PageRequest, kind: Kind, part: str, fields: Sequence[FormField]) -> Sheet:
    """The form of a new item. Raises Forbidden."""
    request.caller.require(Right.CONFIGURE)
    return make_sheet(request, f"new_{kind.noun}", part, back=address_of(part), fields=fields)


def change_sheet(request: PageRequest, kind: Kind, part: str, key: str, fields: Sequence[FormField]) -> Sheet:
    """The form of an item. Raises Forbidden."""
    request.caller.require(Right.CONFIGURE)
    back = address_of(part, key)
    return make_sheet(request, f"change_{kind.noun}", part, back=back, fields=fields, changes=True, name=key)


def create(
    request: PageRequest, kind: Kind, sheet: Sheet, form: FormFields, model: type[Content]
) -> Response:
    """Create an item, and show it."""

    def work(tx: Transaction) -> str:
        command = command_of(request, sheet, form, model)
        item = kind.create(request.service, tx, request.caller, command)
        return saved(address_of(sheet.part, getattr(item, kind.key)))

    return send_sheet(request, sheet, form, work)


def change(
    request: PageRequest, kind: Kind, sheet: Sheet, key: str, form: FormFields, model: type[Content]
) -> Response:
    """Change an item, and show it."""

    def work(tx: Transaction) -> str:
        command = command_of(request, sheet, form, model)
        kind.change(request.service, tx, request.caller, key, command)
        return saved(address_of(sheet.part, key))

    return send_sheet(request, sheet, form, work)


def name_fields(request: PageRequest) -> tuple[FormField, ...]:
    """The names in both languages."""
    locale = request.locale
    return make_field(locale, "names.en", required=True), make_field(locale, "names.zh", required=True)


def values_of(item: Any) -> dict[str, Any]:
    """The members of an item by the names of fields: `names.en` for the English name."""
    members = {name: getattr(item, name) for name in item.__dataclass_fields__}
    names: Mapping[str, str] = members.pop("names", {})
    return {**members, **{f"names.{language}": name for language, name in names.items()}}


def people_options(request: PageRequest, directory: Directory, *, but: str = "") -> Options:
    """The active users, by name; at first: nobody."""
    users = sorted(directory.users.values(), key=lambda user: user.name)
    nobody = str(request.locale.texts.settings.nobody)
    return (
        ("", nobody),
        *((one.login, f"{one.name} ({one.login})") for one in users if one.active and one.login != but),
    )


def team_options(request: PageRequest, directory: Directory, *, first: Options = ()) -> Options:
    """The active teams, by code."""
    locale = request.locale
    teams = (directory.teams[code] for code in sorted(directory.teams))
    return (*first, *((one.code, locale.name(one.names, one.code)) for one in teams if one.active))


def person_field(request: PageRequest, name: str, options: Options) -> FormField:
    """A choice of a user, who can be taken away."""
    return make_field(request.locale, name, FieldKind.CHOICE, options=options, removable=True)
