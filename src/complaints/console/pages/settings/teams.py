"""The teams, and their duty rotas."""

from collections.abc import Sequence

from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.console.forms import SentForm
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings import reference_forms
from complaints.console.pages.settings.fields import (
    FieldKind,
    FormField,
    make_field,
    read_local_time,
    write_value,
)
from complaints.console.pages.settings.layout import (
    address_of,
    button,
    open_part,
    person_cell,
    read_configuration,
    show_part,
)
from complaints.console.pages.settings.sheets import Sheet, make_sheet, saved, send_sheet, show_sheet
from complaints.console.views.clock_badges import Tone
from complaints.console.views.tables import Cell, Table, TableFact
from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.staff import Directory, DutyShift, User
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import CreateTeam, PatchTeam
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.commands.work import PutDutyRota
from complaints.use_cases.configuration.staff import TEAMS
from complaints.use_cases.service import Transaction
from complaints.use_cases.work.duty import load_rota, put_rota

router = PrefixedRouter(prefix="/teams")
PART = "teams"
_SHIFTS_SHOWN = 14
_SHIFT = ("login", "on_duty_from", "on_duty_until")


def active_cell(request: PageRequest, *, active: bool) -> Cell:
    """Whether something is in use."""
    words = request.locale.texts.settings
    return Cell(words.active, tone=Tone.MET) if active else Cell(words.retired, tone=Tone.CANCELLED)


@router.get("")
def list_teams(request: SignedIn) -> Response:
    """The teams by code."""
    open_part(request, PART)
    directory = read_configuration(request).directory
    locale, heads = request.locale, request.locale.texts.settings.heads
    rows = [
        (
            Cell(locale.name(one.names, code), address_of(PART, code), code),
            _department_cell(request, directory, one.department),
            person_cell(directory, one.lead),
            person_cell(directory, one.deputy),
            Cell(str(sum(code in user.teams and user.active for user in directory.users.values()))),
            active_cell(request, active=one.active),
        )
        for code, one in sorted(directory.teams.items(), key=lambda pair: (not pair[1].active, pair[0]))
    ]
    table = Table(
        (heads.team, heads.department, heads.lead, heads.deputy, heads.members, heads.state),
        rows,
        empty=locale.texts.settings.empty.teams,
    )
    buttons = [button(request, "new_team", address_of(PART, "new"), Right.CONFIGURE)]
    return show_part(request, PART, buttons=buttons, tables=[table])


def _department_cell(request: PageRequest, directory: Directory, code: str) -> Cell:
    department = directory.departments.get(code)
    name = request.locale.name(department.names, code) if department else code
    return Cell(name, address_of("departments", code))


@router.get("/new")
def show_new(request: SignedIn) -> Response:
    """The empty form of a team."""
    return show_sheet(request, _new_sheet(request), {"active": True})


@router.post("/new")
def create_team(request: SignedIn, form: SentForm) -> Response:
    """Make a team."""
    return reference_forms.create(request, TEAMS, _new_sheet(request), form, CreateTeam)


@router.get("/{code}")
def show_team(request: SignedIn, code: str) -> Response:
    """A team with its members and its duty rota."""
    open_part(request, PART)
    configuration = read_configuration(request)
    team, directory = TEAMS.load(configuration, code), configuration.directory
    locale = request.locale
    words, heads = locale.texts.settings, locale.texts.settings.heads
    facts = [
        TableFact(heads.code, Cell(code, code=True)),
        TableFact(heads.department, _department_cell(request, directory, team.department)),
        TableFact(heads.lead, person_cell(directory, team.lead)),
        TableFact(heads.deputy, person_cell(directory, team.deputy)),
        TableFact(heads.state, active_cell(request, active=team.active)),
    ]
    members = [(person_cell(directory, user.login),) for user in _members(directory, code)]
    return show_part(
        request,
        PART,
        title=locale.name(team.names, code),
        buttons=[
            button(request, "change", address_of(PART, code, "change"), Right.CONFIGURE),
            button(request, "change_rota", address_of(PART, code, "rota"), Right.CONFIGURE),
        ],
        facts=facts,
        tables=[
            Table((heads.name,), members, heads.members, words.empty.members),
            _rota_table(request, directory, load_rota(configuration, code)),
        ],
    )


def _members(directory: Directory, code: str) -> list[User]:
    found = (user for user in directory.users.values() if code in user.teams and user.active)
    return sorted(found, key=lambda user: user.name)


def _rota_table(request: PageRequest, directory: Directory, shifts: Sequence[DutyShift]) -> Table:
    """The shifts that have not ended, the next ones only."""
    locale, words = request.locale, request.locale.texts.settings
    now = request.read(lambda tx: tx.now)
    coming = [shift for shift in shifts if shift.on_duty_until > now]
    rows = [
        (
            person_cell(directory, shift.login),
            Cell(locale.time(shift.on_duty_from)),
            Cell(locale.time(shift.on_duty_until)),
        )
        for shift in coming[:_SHIFTS_SHOWN]
    ]
    heads = (words.heads.name, words.heads.starts, words.heads.ends)
    return Table(heads, rows, words.rota, words.empty.rota)


@router.get("/{code}/change")
def show_change(request: SignedIn, code: str) -> Response:
    """The form of a team."""
    sheet = _change_sheet(request, code)
    return show_sheet(
        request, sheet, reference_forms.values_of(TEAMS.load(read_configuration(request), code))
    )


@router.post("/{code}/change")
def change_team(request: SignedIn, code: str, form: SentForm) -> Response:
    """Change a team."""
    return reference_forms.change(request, TEAMS, _change_sheet(request, code), code, form, PatchTeam)


def _fields(request: PageRequest) -> list[FormField]:
    locale, directory = request.locale, read_configuration(request).directory
    people = reference_forms.people_options(request, directory)
    departments = [
        (code, locale.name(one.names, code)) for code, one in sorted(directory.departments.items())
    ]
    return [
        *reference_forms.name_fields(request),
        make_field(locale, "department", FieldKind.CHOICE, options=departments, required=True),
        reference_forms.person_field(request, "lead", people),
        reference_forms.person_field(request, "deputy", people),
        make_field(locale, "active", FieldKind.SWITCH),
    ]


def _new_sheet(request: PageRequest) -> Sheet:
    fields = [
        make_field(
            request.locale, "code", required=True, hint=request.locale.texts.settings.hints.identifier
        ),
        *_fields(request),
    ]
    return reference_forms.new_sheet(request, TEAMS, PART, fields)


def _change_sheet(request: PageRequest, code: str) -> Sheet:
    return reference_forms.change_sheet(request, TEAMS, PART, code, _fields(request))


# The duty rota ----------------------------------------------------------------------------------------------


def _rota_sheet(request: PageRequest, code: str) -> Sheet:
    request.caller.require(Right.CONFIGURE)
    field = make_field(request.locale, "shifts", FieldKind.DOCUMENT)
    return make_sheet(request, "change_rota", PART, back=address_of(PART, code), fields=[field], name=code)


@router.get("/{code}/rota")
def show_rota_form(request: SignedIn, code: str) -> Response:
    """The form of a duty rota: a line for each shift, in the time of the reader."""
    shifts = load_rota(read_configuration(request), code)
    lines = [
        " ".join(write_value(getattr(shift, name), request.locale) for name in _SHIFT) for shift in shifts
    ]
    return show_sheet(request, _rota_sheet(request, code), {"shifts": "\n".join(lines)})


@router.post("/{code}/rota")
def change_rota(request: SignedIn, code: str, form: SentForm) -> Response:
    """Replace a duty rota. A fault says in which line it is."""
    lines = [line.split() for line in form.text("shifts").splitlines() if line.strip()]
    shifts = [_read_shift(request, line) for line in lines]

    def work(tx: Transaction) -> str:
        try:
            command = read_command(PutDutyRota, {"shifts": shifts})
            put_rota(request.service, tx, request.caller, code, command)
        except InvalidContent as refusal:
            raise _with_lines(refusal) from refusal
        return saved(address_of(PART, code))

    return send_sheet(request, _rota_sheet(request, code), form, work)


def _read_shift(request: PageRequest, words: Sequence[str]) -> dict[str, str]:
    """The words of a line as a shift. A word too many is a member that no shift has."""
    names = (*_SHIFT, *(f"word {number}" for number in range(4, len(words) + 1)))
    shift = dict(zip(names, words, strict=False))
    return {
        name: word if name == "login" else read_local_time(word, request.locale)
        for name, word in shift.items()
    }


def _with_lines(refusal: InvalidContent) -> InvalidContent:
    """The refusal with the number of the line in each fault."""
    faults = []
    for fault in refusal.faults:
        _, shifts, number, *_ = (*fault.pointer.split("/"), "", "", "")
        is_placed = shifts == "shifts" and number.isdigit()
        line = f"line {int(number) + 1}: " if is_placed else ""
        faults.append(Fault(fault.pointer, f"{line}{fault.message}"))
    return InvalidContent(refusal.detail, faults=faults)
