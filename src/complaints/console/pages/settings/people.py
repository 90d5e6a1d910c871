"""The people: who may do what, who is absent, who leaves."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query
from starlette.background import BackgroundTask
from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.console.forms import FormFields, FormState, SentForm
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings.fields import (
    FieldKind,
    FormField,
    Options,
    SearchForm,
    make_field,
    write_value,
)
from complaints.console.pages.settings.layout import (
    address_of,
    button,
    open_part,
    person_cell,
    read_configuration,
    show_part,
    team_names,
)
from complaints.console.pages.settings.reference_forms import (
    create,
    new_sheet,
    people_options,
    person_field,
    team_options,
    values_of,
)
from complaints.console.pages.settings.secrets import send_for_secret
from complaints.console.pages.settings.sheets import (
    Sheet,
    command_of,
    make_sheet,
    saved,
    send_sheet,
    show_sheet,
)
from complaints.console.views.clock_badges import Tone
from complaints.console.views.tables import Button, Cell, Table, TableFact
from complaints.domain.errors import NotFound
from complaints.domain.staff import Directory, User
from complaints.domain.vocabulary import AccessRole, UserScope
from complaints.use_cases.access import Right
from complaints.use_cases.accounts.passwords import make_password_link
from complaints.use_cases.commands.configuration import CreateUser, PatchUser
from complaints.use_cases.complaints import leaving
from complaints.use_cases.configuration.staff import USERS
from complaints.use_cases.service import Transaction

router = PrefixedRouter(prefix="/people")
PART = "people"
_PAGE = 100
_ABSENCE = ("absent_from", "absent_until")


@router.get("")
def list_people(
    request: SignedIn,
    q: Annotated[str, Query(max_length=200)] = "",
    team: Annotated[str, Query(max_length=200)] = "",
    start: Annotated[int, Query(ge=0, le=10**6)] = 0,
) -> Response:
    """The people by name, those who left at the end."""
    open_part(request, PART)
    configuration, now = request.read(lambda tx: (request.service.cache.current(tx, certain=True), tx.now))
    directory = configuration.directory
    asked = q.strip().casefold()
    found = [
        user
        for user in directory.users.values()
        if asked in f"{user.login} {user.name} {user.email or ''}".casefold()
        and (not team or team in user.teams)
    ]
    found.sort(key=lambda user: (not user.active, user.name, user.login))
    words = request.locale.texts.settings
    heads = words.heads
    shown = found[start : start + _PAGE]
    following = urlencode({"q": q, "team": team, "start": start + _PAGE})
    more = f"?{following}" if len(found) > start + _PAGE else ""
    table = Table(
        (heads.name, heads.roles, heads.teams, heads.state, heads.deputy),
        [_row(request, directory, user, now) for user in shown],
        empty=words.empty.people,
        more=more,
    )
    anybody: Options = (("", str(words.every_team)),)
    fields = (
        make_field(request.locale, "q"),
        make_field(
            request.locale, "team", FieldKind.CHOICE, options=team_options(request, directory, first=anybody)
        ),
    )
    return show_part(
        request,
        PART,
        buttons=[button(request, "new_user", address_of(PART, "new"), Right.CONFIGURE)],
        search=SearchForm(fields, FormState({"q": q, "team": team})),
        tables=[table],
    )


def _row(request: PageRequest, directory: Directory, user: User, now: datetime) -> tuple[Cell, ...]:
    return (
        Cell(user.name, address_of(PART, user.login), user.login),
        Cell(_role_words(request, user)),
        Cell(team_names(request, directory, user.teams) or "–"),
        state_cell(request, user, now),
        person_cell(directory, user.deputy),
    )


def _role_words(request: PageRequest, user: User) -> str:
    if not user.roles:
        return str(request.locale.texts.settings.no_roles)
    comma = str(request.locale.texts.settings.list_comma)
    return comma.join(request.locale.word("role", role) for role in user.roles)


def state_cell(request: PageRequest, user: User, now: datetime) -> Cell:
    """Whether a user works, is absent, or has left."""
    locale, words = request.locale, request.locale.texts.settings.user_states
    if not user.active:
        return Cell(words.left, tone=Tone.CANCELLED)
    if user.available(now):
        if user.absent_from is not None and user.absent_from > now:
            return Cell(
                words.here, note=words.absent_from.format(time=locale.time(user.absent_from)), tone=Tone.MET
            )
        return Cell(words.here, tone=Tone.MET)
    if user.absent_until is None:
        return Cell(words.absent, tone=Tone.PAUSED)
    return Cell(words.absent_until.format(time=locale.time(user.absent_until)), tone=Tone.PAUSED)


@router.get("/new")
def show_new(request: SignedIn) -> Response:
    """The empty form of a user."""
    return show_sheet(request, _new_sheet(request))


@router.post("/new")
def create_user(request: SignedIn, form: SentForm) -> Response:
    """Make a user."""
    return create(request, USERS, _new_sheet(request), form, CreateUser)


@router.get("/{login}")
def show_person(request: SignedIn, login: str) -> Response:
    """A user."""
    open_part(request, PART)
    configuration, now = request.read(lambda tx: (request.service.cache.current(tx, certain=True), tx.now))
    user = USERS.load(configuration, login)
    return show_part(
        request,
        PART,
        "settings/person.html",
        title=user.name,
        buttons=list(_buttons_of(request, user)),
        facts=list(_facts_of(request, configuration.directory, user, now)),
        leaving=_find_leaving(request, login),
        leaving_address=address_of(PART, login, "leaving"),
    )


def _buttons_of(request: PageRequest, user: User) -> Iterator[Button]:
    def of(name: str, path: str, right: Right, *, danger: bool = False) -> Button:
        return button(request, name, address_of(PART, user.login, path), right, danger=danger)

    yield of("change", "change", Right.CONFIGURE)
    if user.active:
        yield of("password_link", "password-link", Right.ADMINISTER)
        yield of("leave", "leave", Right.CONFIGURE, danger=True)
    else:
        yield of("return", "return", Right.CONFIGURE)


def _facts_of(request: PageRequest, directory: Directory, user: User, now: datetime) -> Iterator[TableFact]:
    words = request.locale.texts.settings
    heads = words.heads
    yield TableFact(heads.login, Cell(user.login, code=True))
    yield TableFact(heads.email, Cell(user.email or "–"))
    yield TableFact(heads.state, state_cell(request, user, now))
    yield TableFact(heads.deputy, person_cell(directory, user.deputy))
    yield TableFact(heads.roles, Cell(_role_words(request, user)))
    yield TableFact(heads.teams, Cell(team_names(request, directory, user.teams) or "–"))
    scope = words.scopes[user.scope] if user.scope else words.scope_of_roles
    yield TableFact(heads.scope, Cell(scope, note=", ".join(user.scope_names)))


@router.get("/{login}/change")
def show_change(request: SignedIn, login: str) -> Response:
    """The form of a user."""
    sheet = _change_sheet(request, login)
    user = USERS.load(read_configuration(request), login)
    return show_sheet(request, sheet, values_of(user) | {"roles": user.roles or ()})


@router.post("/{login}/change")
def change_user(request: SignedIn, login: str, form: SentForm) -> Response:
    """Change a user."""
    sheet = _change_sheet(request, login)

    def work(tx: Transaction) -> str:
        user = USERS.load(request.service.cache.claim(tx), login)
        kept = _absence(request, form, user, tx.now) | _roles(form, user)
        command = command_of(request, sheet, form, PatchUser, **kept)
        leaving.change_user(request.service, tx, request.caller, login, command)
        return saved(address_of(PART, login))

    return send_sheet(request, sheet, form, work)


def _absence(request: PageRequest, form: FormFields, user: User, now: datetime) -> dict[str, Any]:
    """The members of the absence: none if it stays as it is, and an end now if both fields are empty."""
    shown = [write_value(getattr(user, name), request.locale) for name in _ABSENCE]
    sent = [form.text(name) for name in _ABSENCE]
    if sent == shown:
        return dict.fromkeys(_ABSENCE)
    return {"absent_from": None, "absent_until": now} if not any(sent) else {}


def _roles(form: FormFields, user: User) -> dict[str, Any]:
    """A user to whom no role was ever given stays so: keys of the user then act by their own roles."""
    return {"roles": None} if user.roles is None and not form.texts("roles") else {}


@router.get("/{login}/leave")
def show_leave(request: SignedIn, login: str) -> Response:
    """The form by which a user leaves."""
    return show_sheet(request, _leave_sheet(request, login))


@router.post("/{login}/leave")
def leave(request: SignedIn, login: str, form: SentForm) -> Response:
    """Let a user leave. What the user owns is handed over after the answer; the page of the user says how far it is."""
    sheet = _leave_sheet(request, login)

    def work(tx: Transaction) -> str:
        command = command_of(request, sheet, form, PatchUser, active=False)
        leaving.change_user(request.service, tx, request.caller, login, command)
        return address_of(PART, login)

    answer = send_sheet(request, sheet, form, work)
    if answer.status_code < 400:
        answer.background = BackgroundTask(leaving.hand_over_all, request.service, login)
    return answer


@router.get("/{login}/leaving")
def show_leaving(request: SignedIn, login: str) -> Response:
    """How far the handing over is, for the page of the user. Raises NotFound for a user who never left."""
    open_part(request, PART)
    return request.page(
        "settings/leaving.html",
        leaving=request.service.read_newest(lambda tx: leaving.load_leaving(tx, login)),
        leaving_address=address_of(PART, login, "leaving"),
    )


def _find_leaving(request: PageRequest, login: str) -> Any:
    try:
        return request.service.read_newest(lambda tx: leaving.load_leaving(tx, login))
    except NotFound:
        return None


@router.get("/{login}/return")
def show_return(request: SignedIn, login: str) -> Response:
    """The question if a user comes back."""
    return show_sheet(request, _return_sheet(request, login))


@router.post("/{login}/return")
def come_back(request: SignedIn, login: str, form: SentForm) -> Response:
    """Make a user active again."""

    def work(tx: Transaction) -> str:
        command = PatchUser(active=True)
        leaving.change_user(request.service, tx, request.caller, login, command)
        return saved(address_of(PART, login))

    return send_sheet(request, _return_sheet(request, login), form, work)


@router.get("/{login}/password-link")
def show_password_link(request: SignedIn, login: str) -> Response:
    """The question before a link is made."""
    return show_sheet(request, _link_sheet(request, login))


@router.post("/{login}/password-link")
def send_password_link(request: SignedIn, login: str, form: SentForm) -> Response:
    """Make a link by which the user sets a password. Only this answer shows it."""

    def make(tx: Transaction) -> tuple[str, str]:
        _, token = make_password_link(request.service, tx, request.caller, login)
        house = request.service.public_url or str(request.http.base_url.replace(path="")).rstrip("/")
        return f"{house}/console/password#{token}", address_of(PART, login)

    return send_for_secret(request, _link_sheet(request, login), form, "password_link", make)


# Sheets -----------------------------------------------------------------------------------------------------


def _fields(request: PageRequest, but: str = "") -> list[FormField]:
    locale, directory = request.locale, read_configuration(request).directory
    words = locale.texts.settings
    roles = [(str(role), locale.word("role", role)) for role in AccessRole]
    scopes = [("", str(words.scope_of_roles)), *((str(one), str(words.scopes[one])) for one in UserScope)]
    return [
        make_field(locale, "name", required=True),
        make_field(locale, "email", removable=True),
        make_field(locale, "roles", FieldKind.CHOICES, options=roles),
        make_field(locale, "teams", FieldKind.CHOICES, options=team_options(request, directory)),
        make_field(locale, "scope", FieldKind.CHOICE, options=scopes, removable=True),
        make_field(locale, "scope_names", FieldKind.WORDS),
        person_field(request, "deputy", people_options(request, directory, but=but)),
        make_field(locale, "absent_from", FieldKind.INSTANT),
        make_field(locale, "absent_until", FieldKind.INSTANT),
    ]


def _new_sheet(request: PageRequest) -> Sheet:
    fields = [
        make_field(
            request.locale, "login", required=True, hint=request.locale.texts.settings.hints.identifier
        ),
        *_fields(request),
    ]
    return new_sheet(request, USERS, PART, fields)


def _change_sheet(request: PageRequest, login: str) -> Sheet:
    request.caller.require(Right.CONFIGURE)
    back = address_of(PART, login)
    fields = _fields(request, but=login)
    return make_sheet(request, "change_user", PART, back=back, fields=fields, changes=True, name=login)


def _leave_sheet(request: PageRequest, login: str) -> Sheet:
    request.caller.require(Right.CONFIGURE)
    configuration = read_configuration(request)
    name, directory = USERS.load(configuration, login).name, configuration.directory
    successor = make_field(
        request.locale, "successor", FieldKind.CHOICE, options=people_options(request, directory, but=login)
    )
    back = address_of(PART, login)
    return make_sheet(request, "leave", PART, back=back, fields=[successor], danger=True, name=name)


def _return_sheet(request: PageRequest, login: str) -> Sheet:
    request.caller.require(Right.CONFIGURE)
    return make_sheet(request, "return", PART, back=address_of(PART, login), name=login)


def _link_sheet(request: PageRequest, login: str) -> Sheet:
    request.caller.require(Right.ADMINISTER)
    return make_sheet(request, "password_link", PART, back=address_of(PART, login), name=login)
