"""The departments, which stand above the teams."""

from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.console.forms import SentForm
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings import reference_forms
from complaints.console.pages.settings.fields import FieldKind, FormField, make_field
from complaints.console.pages.settings.layout import (
    address_of,
    button,
    open_part,
    person_cell,
    read_configuration,
    show_part,
)
from complaints.console.pages.settings.sheets import Sheet, show_sheet
from complaints.console.views.tables import Cell, Table, TableFact
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import CreateDepartment, PatchDepartment
from complaints.use_cases.configuration.staff import DEPARTMENTS

router = PrefixedRouter(prefix="/departments")
PART = "departments"


@router.get("")
def list_departments(request: SignedIn) -> Response:
    """The departments by code."""
    open_part(request, PART)
    directory = read_configuration(request).directory
    words = request.locale.texts.settings
    heads = words.heads
    rows = [
        (
            Cell(request.locale.name(one.names, code), address_of(PART, code), code),
            person_cell(directory, one.head),
            person_cell(directory, one.deputy),
            Cell(one.parent or "–", address_of(PART, one.parent) if one.parent else ""),
            Cell(str(sum(team.department == code for team in directory.teams.values()))),
        )
        for code, one in sorted(directory.departments.items())
    ]
    table = Table(
        (heads.department, heads.head, heads.deputy, heads.above, heads.teams),
        rows,
        empty=words.empty.departments,
    )
    buttons = [button(request, "new_department", address_of(PART, "new"), Right.CONFIGURE)]
    return show_part(request, PART, note=words.notes.departments, buttons=buttons, tables=[table])


@router.get("/new")
def show_new(request: SignedIn) -> Response:
    """The empty form of a department."""
    return show_sheet(request, _new_sheet(request))


@router.post("/new")
def create_department(request: SignedIn, form: SentForm) -> Response:
    """Make a department."""
    return reference_forms.create(request, DEPARTMENTS, _new_sheet(request), form, CreateDepartment)


@router.get("/{code}")
def show_department(request: SignedIn, code: str) -> Response:
    """A department with its teams."""
    open_part(request, PART)
    directory = read_configuration(request).directory
    department = DEPARTMENTS.load(read_configuration(request), code)
    locale = request.locale
    heads, parent = locale.texts.settings.heads, department.parent
    facts = [
        TableFact(heads.code, Cell(code, code=True)),
        TableFact(heads.head, person_cell(directory, department.head)),
        TableFact(heads.deputy, person_cell(directory, department.deputy)),
        TableFact(heads.above, Cell(parent, address_of(PART, parent)) if parent else Cell("–")),
    ]
    teams = [team for _, team in sorted(directory.teams.items()) if team.department == code]
    rows = [
        (
            Cell(locale.name(team.names, team.code), address_of("teams", team.code)),
            person_cell(directory, team.lead),
        )
        for team in teams
    ]
    table = Table((heads.team, heads.lead), rows, heads.teams, locale.texts.settings.empty.teams)
    return show_part(
        request,
        PART,
        title=locale.name(department.names, code),
        buttons=[button(request, "change", address_of(PART, code, "change"), Right.CONFIGURE)],
        facts=facts,
        tables=[table],
    )


@router.get("/{code}/change")
def show_change(request: SignedIn, code: str) -> Response:
    """The form of a department."""
    sheet = _change_sheet(request, code)
    department = DEPARTMENTS.load(read_configuration(request), code)
    return show_sheet(request, sheet, reference_forms.values_of(department))


@router.post("/{code}/change")
def change_department(request: SignedIn, code: str, form: SentForm) -> Response:
    """Change a department."""
    return reference_forms.change(
        request, DEPARTMENTS, _change_sheet(request, code), code, form, PatchDepartment
    )


def _fields(request: PageRequest, but: str = "") -> list[FormField]:
    locale, directory = request.locale, read_configuration(request).directory
    people = reference_forms.people_options(request, directory)
    others = [one for code, one in sorted(directory.departments.items()) if code != but]
    above = [
        ("", str(locale.texts.settings.top)),
        *((one.code, locale.name(one.names, one.code)) for one in others),
    ]
    return [
        *reference_forms.name_fields(request),
        reference_forms.person_field(request, "head", people),
        reference_forms.person_field(request, "deputy", people),
        make_field(locale, "parent", FieldKind.CHOICE, options=above, removable=True),
    ]


def _new_sheet(request: PageRequest) -> Sheet:
    fields = [
        make_field(
            request.locale, "code", required=True, hint=request.locale.texts.settings.hints.identifier
        ),
        *_fields(request),
    ]
    return reference_forms.new_sheet(request, DEPARTMENTS, PART, fields)


def _change_sheet(request: PageRequest, code: str) -> Sheet:
    return reference_forms.change_sheet(request, DEPARTMENTS, PART, code, _fields(request, code))
