"""The webhooks: who gets which events, what became of each delivery, and sending again."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from complaints.api.feature import annexes_of, settings_of
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.console.forms import SentForm
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings.fields import FieldKind, FormField, make_field
from complaints.console.pages.settings.layout import (
    address_of,
    button,
    open_part,
    read_configuration,
    show_part,
)
from complaints.console.pages.settings.reference_forms import team_options
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
from complaints.domain.vocabulary import Priority
from complaints.features.webhooks import use_cases
from complaints.features.webhooks.rules import WebhookStatus
from complaints.features.webhooks.schemas import (
    OWN_FORMATS,
    CreateWebhook,
    PatchWebhook,
    ReplayWebhook,
    RotateWebhookSecret,
)
from complaints.features.webhooks.settings import WebhookSettings
from complaints.features.webhooks.testing import send_test
from complaints.features.webhooks.use_cases import Webhook
from complaints.use_cases.access import Right
from complaints.use_cases.service import Transaction

router = PrefixedRouter(prefix="/webhooks")
PART = "webhooks"
_PAGE = 50
_FILTER = ("team", "category", "priority", "source")


@router.get("")
def list_webhooks(request: SignedIn) -> Response:
    """The subscriptions that the reader may see."""
    open_part(request, PART)
    words = request.locale.texts.settings
    heads = words.heads
    found = request.read(lambda tx: use_cases.list_webhooks(tx, request.caller))
    rows = [
        (
            Cell(one.url, address_of(PART, one.id), code=True),
            _state_cell(request, one),
            Cell(_types_words(request, one)),
            Cell(request.locale.time(one.created_at), note=one.created_by),
        )
        for one in found
    ]
    table = Table((heads.url, heads.state, heads.events, heads.created), rows, empty=words.empty.webhooks)
    buttons = [button(request, "new_webhook", address_of(PART, "new"), Right.CONTRIBUTE)]
    return show_part(request, PART, note=words.notes.webhooks, buttons=buttons, tables=[table])


def _types_words(request: PageRequest, found: Webhook) -> str:
    words = request.locale.texts.settings
    return words.every_event if "*" in found.event_types else str(words.list_comma).join(found.event_types)


def _state_cell(request: PageRequest, found: Webhook) -> Cell:
    states, locale = request.locale.texts.settings.webhook_states, request.locale
    if found.status is WebhookStatus.DISABLED:
        return Cell(states.disabled, note=states.reasons[found.disabled_reason], tone=Tone.PAUSED)
    if found.failing_since is not None:
        return Cell(states.failing.format(time=locale.time(found.failing_since)), tone=Tone.LATE)
    return Cell(states.active, tone=Tone.MET)


@router.get("/new")
def show_new(request: SignedIn) -> Response:
    """The empty form of a subscription."""
    usual = {"event_types": "*", "payload": "thin", "format": "standard"}
    return show_sheet(request, _new_sheet(request), usual)


@router.post("/new")
def create_webhook(request: SignedIn, form: SentForm) -> Response:
    """Make a subscription, and show the secret that signs its messages."""
    sheet = _new_sheet(request)

    def make(tx: Transaction) -> tuple[str, str]:
        command = command_of(request, sheet, form, CreateWebhook)
        made = use_cases.create_webhook(request.service, tx, request.caller, command)
        return made.secret, address_of(PART, made.id)

    return send_for_secret(request, sheet, form, "webhook", make)


@router.get("/{webhook_id}")
def show_webhook(
    request: SignedIn, webhook_id: UUID, before: Annotated[int | None, Query(ge=1, le=2**62)] = None
) -> Response:
    """A subscription with its delivery log, latest first."""
    open_part(request, PART)

    def find(tx: Transaction) -> tuple[Webhook, list[Any]]:
        found = use_cases.load_webhook(tx, request.caller, webhook_id)
        attempts = use_cases.list_attempts(tx, request.caller, webhook_id, before=before, limit=_PAGE + 1)
        return found, list(attempts)

    found, attempts = request.read(find)
    return show_part(
        request,
        PART,
        title=found.url,
        buttons=list(_buttons_of(request, found)),
        facts=list(_facts_of(request, found)),
        tables=[_log_table(request, webhook_id, attempts)],
    )


def _buttons_of(request: PageRequest, found: Webhook) -> Iterator[Button]:
    def of(name: str, path: str, *, danger: bool = False) -> Button:
        address = address_of(PART, found.id, path)
        return button(request, name, address, Right.CONTRIBUTE, danger=danger)

    yield of("test", "test")
    yield of("change", "change")
    if found.status is WebhookStatus.ACTIVE:
        yield of("replay", "replay")
        yield of("disable", "disable")
    else:
        yield of("enable", "enable")
    yield of("rotate", "rotate")
    yield of("delete", "delete", danger=True)


def _facts_of(request: PageRequest, found: Webhook) -> Iterator[TableFact]:
    words, locale = request.locale.texts.settings, request.locale
    heads = words.heads
    yield TableFact(heads.state, _state_cell(request, found))
    yield TableFact(heads.events, Cell(_types_words(request, found)))
    yield TableFact(heads.payload, Cell(words.payloads[found.payload], note=words.formats[found.format]))
    if found.query is not None:
        yield TableFact(heads.hub_query, Cell(found.query, code=True))
    wanted = (
        f"{words.fields[f'filter_{name}']}: {getattr(found.filter, name)}"
        for name in _FILTER
        if getattr(found.filter, name)
    )
    yield TableFact(heads.filter, Cell(" · ".join(wanted) or str(words.anything)))
    comma = str(words.list_comma)
    yield TableFact(heads.excluded, Cell(comma.join(found.exclude_actors) or "–"))
    yield TableFact(heads.created, Cell(locale.time(found.created_at), note=found.created_by))
    if found.previous_until is not None and found.previous_until > request.service.wall():
        yield TableFact(heads.previous_secret, Cell(locale.time(found.previous_until)))


def _log_table(request: PageRequest, webhook_id: UUID, attempts: list[Any]) -> Table:
    words = request.locale.texts.settings
    heads = words.heads
    more = f"?before={attempts[_PAGE - 1]['id']}" if len(attempts) > _PAGE else ""
    return Table(
        (heads.event, heads.attempt, heads.at, heads.result, heads.latency, heads.next_attempt, heads.again),
        [_log_row(request, webhook_id, one) for one in attempts[:_PAGE]],
        words.delivery_log,
        words.empty.delivery_log,
        more=more,
    )


def _log_row(request: PageRequest, webhook_id: UUID, one: Mapping[Any, Any]) -> tuple[Cell, ...]:
    words, locale = request.locale.texts.settings, request.locale
    number, status = one["sequence"], one["status_code"]
    is_good = status is not None and 200 <= status < 300
    next_at = one["next_attempt_at"]
    return (
        Cell(str(number), note=words.replay_number.format(number=one["replay"]) if one["replay"] else ""),
        Cell(str(one["attempt"])),
        Cell(locale.time(one["at"])),
        Cell(str(status or one["failure"]), tone=Tone.MET if is_good else Tone.LATE),
        Cell(f"{locale.number(one['duration_ms'])} ms"),
        Cell(locale.time(next_at) if next_at else "–"),
        Cell(words.buttons.again, f"{address_of(PART, webhook_id, 'replay')}?sequence={number}"),
    )


# Changes ----------------------------------------------------------------------------------------------------


@router.get("/{webhook_id}/change")
def show_change(request: SignedIn, webhook_id: UUID) -> Response:
    """The form of a subscription."""
    found = _load(request, webhook_id)
    values = {
        name: getattr(found, name) for name in ("url", "event_types", "payload", "format", "exclude_actors")
    }
    values |= {f"filter.{name}": getattr(found.filter, name) for name in _FILTER}
    return show_sheet(request, _change_sheet(request, webhook_id), values)


@router.post("/{webhook_id}/change")
def change_webhook(request: SignedIn, webhook_id: UUID, form: SentForm) -> Response:
    """Change a subscription, from the next event on."""
    sheet = _change_sheet(request, webhook_id)

    def work(tx: Transaction) -> str:
        command = command_of(request, sheet, form, PatchWebhook)
        if command.filter is None:  # every field of the filter is empty: it asks nothing
            command = command_of(request, sheet, form, PatchWebhook, filter={})
        use_cases.change_webhook(request.service, tx, request.caller, webhook_id, command)
        return saved(address_of(PART, webhook_id))

    return send_sheet(request, sheet, form, work)


@router.get("/{webhook_id}/rotate")
def show_rotate(request: SignedIn, webhook_id: UUID) -> Response:
    """The form for a new secret."""
    return show_sheet(request, _rotate_sheet(request, webhook_id), {"overlap": "PT24H"})


@router.post("/{webhook_id}/rotate")
def rotate(request: SignedIn, webhook_id: UUID, form: SentForm) -> Response:
    """Give a subscription a new secret, and show it."""
    sheet = _rotate_sheet(request, webhook_id)

    def make(tx: Transaction) -> tuple[str, str]:
        command = command_of(request, sheet, form, RotateWebhookSecret)
        made = use_cases.rotate_secret(
            request.service, tx, request.caller, webhook_id, overlap=command.overlap
        )
        return made.secret, address_of(PART, webhook_id)

    return send_for_secret(request, sheet, form, "webhook", make)


@router.get("/{webhook_id}/replay")
def show_replay(
    request: SignedIn, webhook_id: UUID, sequence: Annotated[int | None, Query(ge=1, le=2**62)] = None
) -> Response:
    """The form to send a range of events again; `sequence` fills it with one event."""
    return show_sheet(
        request, _replay_sheet(request, webhook_id), {"from_sequence": sequence, "to_sequence": sequence}
    )


@router.post("/{webhook_id}/replay")
def replay(request: SignedIn, webhook_id: UUID, form: SentForm) -> Response:
    """Send the events of a range again."""
    sheet = _replay_sheet(request, webhook_id)

    def work(tx: Transaction) -> str:
        asked = command_of(request, sheet, form, ReplayWebhook)
        use_cases.replay(
            request.service, tx, request.caller, webhook_id, first=asked.from_sequence, last=asked.to_sequence
        )
        return f"{address_of(PART, webhook_id)}?done=replayed"

    return send_sheet(request, sheet, form, work)


@router.get("/{webhook_id}/{question}")
def show_question(request: SignedIn, webhook_id: UUID, question: str) -> Response:
    """The question before a test message, before it is disabled or enabled, and before it is deleted."""
    return show_sheet(request, _question_sheet(request, webhook_id, question))


@router.post("/{webhook_id}/test")
def test(request: SignedIn, webhook_id: UUID, _form: SentForm) -> Response:
    """Send a test message now, and say what became of it."""
    request.caller.require(Right.CONTRIBUTE)
    seconds = settings_of(request.http, WebhookSettings).timeout_seconds
    annexes = annexes_of(request.http)
    result = send_test(request.service, request.caller, webhook_id, seconds=seconds, annexes=annexes)
    values: dict[str, Any] = {"result": result, "next_page": address_of(PART, webhook_id)}
    if request.is_partial:
        return request.page("settings/test_fragment.html", **values)
    return show_part(request, PART, "settings/test.html", title=_load(request, webhook_id).url, **values)


@router.post("/{webhook_id}/{question}")
def answer_question(request: SignedIn, webhook_id: UUID, question: str, form: SentForm) -> Response:
    """Disable, enable or delete a subscription."""
    sheet = _question_sheet(request, webhook_id, question)

    def work(tx: Transaction) -> str:
        if question == "delete":
            use_cases.delete_webhook(tx, request.caller, webhook_id)
            return saved(address_of(PART))
        status = WebhookStatus.ACTIVE if question == "enable" else WebhookStatus.DISABLED
        command = PatchWebhook(status=status)
        use_cases.change_webhook(request.service, tx, request.caller, webhook_id, command)
        return saved(address_of(PART, webhook_id))

    return send_sheet(request, sheet, form, work)


# Sheets -----------------------------------------------------------------------------------------------------


def _load(request: PageRequest, webhook_id: UUID) -> Webhook:
    return request.read(lambda tx: use_cases.load_webhook(tx, request.caller, webhook_id))


def _fields(request: PageRequest, *, of_hub: bool = False) -> list[FormField]:
    """The fields of a subscription. A hub keeps the content and the form of its messages."""
    locale, words = request.locale, request.locale.texts.settings
    configuration = read_configuration(request)
    anything = (("", str(words.anything)),)
    categories = [(one.code, locale.name(one.names, one.code)) for one in configuration.categories.values()]
    priorities = [(str(one), locale.word("priority", one)) for one in Priority]
    payloads = [(one, words.payloads[one]) for one in words.payloads]
    formats = [(one, words.formats[one]) for one in OWN_FORMATS]
    form = [
        make_field(locale, "payload", FieldKind.CHOICE, options=payloads),
        make_field(locale, "format", FieldKind.CHOICE, options=formats),
    ]
    return [
        make_field(locale, "url", required=True),
        make_field(locale, "event_types", FieldKind.WORDS, required=True),
        *([] if of_hub else form),
        make_field(
            locale,
            "filter.team",
            FieldKind.CHOICE,
            options=team_options(request, configuration.directory, first=anything),
        ),
        make_field(locale, "filter.category", FieldKind.CHOICE, options=(*anything, *categories)),
        make_field(locale, "filter.priority", FieldKind.CHOICE, options=(*anything, *priorities)),
        make_field(locale, "filter.source"),
        make_field(locale, "exclude_actors", FieldKind.WORDS),
    ]


def _new_sheet(request: PageRequest) -> Sheet:
    request.caller.require(Right.CONTRIBUTE)
    return make_sheet(request, "new_webhook", PART, back=address_of(PART), fields=_fields(request))


def _change_sheet(request: PageRequest, webhook_id: UUID) -> Sheet:
    of_hub = _load(request, webhook_id).format not in OWN_FORMATS
    return _sheet(request, "change_webhook", webhook_id, _fields(request, of_hub=of_hub), changes=True)


def _rotate_sheet(request: PageRequest, webhook_id: UUID) -> Sheet:
    return _sheet(request, "rotate", webhook_id, [make_field(request.locale, "overlap", required=True)])


def _replay_sheet(request: PageRequest, webhook_id: UUID) -> Sheet:
    names = ("from_sequence", "to_sequence")
    fields = [make_field(request.locale, name, FieldKind.NUMBER, required=True) for name in names]
    return _sheet(request, "replay", webhook_id, fields)


def _question_sheet(request: PageRequest, webhook_id: UUID, question: str) -> Sheet:
    if question not in ("test", "disable", "enable", "delete"):
        raise NotFound("There is nothing at this address.")
    return _sheet(request, question, webhook_id, [], danger=question == "delete")


def _sheet(
    request: PageRequest, name: str, webhook_id: UUID, fields: list[FormField], **options: Any
) -> Sheet:
    """A form of one subscription. Raises NotFound for one that the reader may not see."""
    request.caller.require(Right.CONTRIBUTE)
    url = _load(request, webhook_id).url
    back = address_of(PART, webhook_id)
    return make_sheet(request, name, PART, back=back, fields=fields, name=url, **options)
