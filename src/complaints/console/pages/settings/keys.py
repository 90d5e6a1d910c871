"""The API keys: make, rotate and revoke one. A secret is shown once."""

from datetime import datetime
from uuid import UUID

from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.console.forms import SentForm
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings.fields import FieldKind, make_field
from complaints.console.pages.settings.layout import (
    address_of,
    button,
    open_part,
    person_cell,
    read_configuration,
    show_part,
)
from complaints.console.pages.settings.reference_forms import people_options
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
from complaints.console.views.tables import Cell, Table, TableFact
from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import CreateKey, RotateKey
from complaints.use_cases.configuration import keys
from complaints.use_cases.configuration.keys import KeyRecord
from complaints.use_cases.service import Transaction

router = PrefixedRouter(prefix="/keys")
PART = "keys"


@router.get("")
def list_keys(request: SignedIn) -> Response:
    """The keys by name, the usable ones first."""
    open_part(request, PART)
    words = request.locale.texts.settings
    heads = words.heads
    records, now = request.read(lambda tx: (keys.list_records(tx), tx.now))
    records.sort(key=lambda record: not record.key.usable(now))
    rows = [
        (
            Cell(record.key.name, address_of(PART, record.key.id), record.key.source),
            Cell(_role_words(request, record)),
            _state_cell(request, record, now),
            _used_cell(request, record),
            Cell(request.locale.time(record.created_at), note=record.created_by),
        )
        for record in records
    ]
    table = Table(
        (heads.name, heads.roles, heads.state, heads.last_used, heads.created), rows, empty=words.empty.keys
    )
    buttons = [button(request, "new_key", address_of(PART, "new"), Right.ADMINISTER)]
    return show_part(request, PART, note=words.notes.keys, buttons=buttons, tables=[table])


def _role_words(request: PageRequest, record: KeyRecord) -> str:
    comma = str(request.locale.texts.settings.list_comma)
    return comma.join(request.locale.word("role", role) for role in sorted(record.key.roles))


def _state_cell(request: PageRequest, record: KeyRecord, now: datetime) -> Cell:
    states, key, locale = request.locale.texts.settings.key_states, record.key, request.locale
    if key.revoked_at is not None:
        return Cell(states.revoked, note=locale.time(key.revoked_at), tone=Tone.CANCELLED)
    if not key.usable(now):
        return Cell(states.expired, tone=Tone.CANCELLED)
    if key.expires_at is not None:
        return Cell(states.expires.format(time=locale.time(key.expires_at)), tone=Tone.SOON)
    return Cell(states.usable, tone=Tone.MET)


def _used_cell(request: PageRequest, record: KeyRecord) -> Cell:
    used = record.last_used_at
    return Cell(request.locale.time(used) if used else str(request.locale.texts.settings.never))


@router.get("/new")
def show_new(request: SignedIn) -> Response:
    """The empty form of a key."""
    return show_sheet(request, _new_sheet(request))


@router.post("/new")
def create_key(request: SignedIn, form: SentForm) -> Response:
    """Make a key, and show its secret."""
    sheet = _new_sheet(request)

    def make(tx: Transaction) -> tuple[str, str]:
        command = command_of(request, sheet, form, CreateKey, roles=form.texts("roles"))
        key, secret = keys.create_key(
            request.service,
            tx,
            request.caller,
            name=command.name,
            roles=command.roles,
            source=command.source,
            login=command.user,
            expires_at=command.expires_at,
        )
        return secret, address_of(PART, key.id)

    return send_for_secret(request, sheet, form, "key", make)


@router.get("/{key_id}")
def show_key(request: SignedIn, key_id: UUID) -> Response:
    """One key."""
    open_part(request, PART)
    record, now = request.read(lambda tx: (keys.load_record(tx, key_id), tx.now))
    locale, key = request.locale, record.key
    heads = locale.texts.settings.heads
    facts = [
        TableFact(heads.state, _state_cell(request, record, now)),
        TableFact(heads.roles, Cell(_role_words(request, record))),
        TableFact(heads.source, Cell(key.source)),
        TableFact(heads.user, person_cell(read_configuration(request).directory, key.login)),
        TableFact(heads.last_used, _used_cell(request, record)),
        TableFact(heads.created, Cell(locale.time(record.created_at), note=record.created_by)),
    ]
    if key.previous_until is not None and key.previous_until > now:
        facts.append(TableFact(heads.previous_secret, Cell(locale.time(key.previous_until))))
    buttons = [
        button(request, "rotate", address_of(PART, key_id, "rotate"), Right.ADMINISTER),
        button(request, "revoke", address_of(PART, key_id, "revoke"), Right.ADMINISTER, danger=True),
    ]
    usable = key.usable(now)
    return show_part(request, PART, title=key.name, buttons=buttons if usable else (), facts=facts)


@router.get("/{key_id}/rotate")
def show_rotate(request: SignedIn, key_id: UUID) -> Response:
    """The form for a new secret."""
    return show_sheet(request, _rotate_sheet(request, key_id), {"overlap": "PT24H"})


@router.post("/{key_id}/rotate")
def rotate_key(request: SignedIn, key_id: UUID, form: SentForm) -> Response:
    """Give a key a new secret, and show it."""
    sheet = _rotate_sheet(request, key_id)

    def make(tx: Transaction) -> tuple[str, str]:
        command = command_of(request, sheet, form, RotateKey)
        _, secret = keys.rotate_key(request.service, tx, request.caller, key_id, overlap=command.overlap)
        return secret, address_of(PART, key_id)

    return send_for_secret(request, sheet, form, "key", make)


@router.get("/{key_id}/revoke")
def show_revoke(request: SignedIn, key_id: UUID) -> Response:
    """The question before a key is revoked."""
    return show_sheet(request, _revoke_sheet(request, key_id))


@router.post("/{key_id}/revoke")
def revoke_key(request: SignedIn, key_id: UUID, form: SentForm) -> Response:
    """Revoke a key for ever."""

    def work(tx: Transaction) -> str:
        keys.revoke_key(request.service, tx, request.caller, key_id)
        return saved(address_of(PART))

    return send_sheet(request, _revoke_sheet(request, key_id), form, work)


def _new_sheet(request: PageRequest) -> Sheet:
    request.caller.require(Right.ADMINISTER)
    locale = request.locale
    roles = [(str(role), locale.word("role", role)) for role in AccessRole]
    people = people_options(request, read_configuration(request).directory)
    fields = [
        make_field(locale, "name", required=True, hint=locale.texts.settings.hints.identifier),
        make_field(locale, "roles", FieldKind.CHOICES, options=roles),
        make_field(locale, "source", hint=locale.texts.settings.hints.key_source),
        make_field(locale, "user", FieldKind.CHOICE, options=people),
        make_field(locale, "expires_at", FieldKind.INSTANT),
    ]
    return make_sheet(request, "new_key", PART, back=address_of(PART), fields=fields)


def _rotate_sheet(request: PageRequest, key_id: UUID) -> Sheet:
    request.caller.require(Right.ADMINISTER)
    name = request.read(lambda tx: keys.load_record(tx, key_id)).key.name
    fields = [make_field(request.locale, "overlap", required=True)]
    return make_sheet(request, "rotate", PART, back=address_of(PART, key_id), fields=fields, name=name)


def _revoke_sheet(request: PageRequest, key_id: UUID) -> Sheet:
    request.caller.require(Right.ADMINISTER)
    name = request.read(lambda tx: keys.load_record(tx, key_id)).key.name
    return make_sheet(request, "revoke", PART, back=address_of(PART, key_id), danger=True, name=name)
