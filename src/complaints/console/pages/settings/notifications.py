"""How the reader hears of escalations and other things: channels, times and reminders."""

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from complaints.api.feature import settings_of
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.problems.languages import Language
from complaints.api.request import get_service
from complaints.console.forms import SentForm
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings.fields import FieldKind, FormField, make_field, read_members
from complaints.console.pages.settings.layout import address_of, button, open_part, show_part
from complaints.console.pages.settings.sheets import Sheet, make_sheet, saved, send_sheet, show_sheet
from complaints.console.views.tables import Cell, TableFact
from complaints.features.notifications import preference_use_cases
from complaints.features.notifications.commands import PutNotificationPreference
from complaints.features.notifications.model import MessageChannel
from complaints.features.notifications.preference_use_cases import own_login
from complaints.features.notifications.preferences import NotificationPreference
from complaints.features.notifications.schemas import preference_json
from complaints.features.notifications.settings import NotificationSettings
from complaints.use_cases.access import Right
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.service import Transaction

router = PrefixedRouter(prefix="/notifications")
PART = "notifications"
_CHANNELS = 3


def _load(request: PageRequest) -> NotificationPreference:
    """The wishes of the reader. They are on the primary: an auditor has wishes too."""
    service, settings = get_service(request.http), settings_of(request.http, NotificationSettings)
    login = own_login(request.caller)
    return service.read(
        lambda tx: preference_use_cases.load_notification_preference(service, tx, settings, login)
    )


@router.get("")
def show_notifications(request: SignedIn) -> Response:
    """How the reader hears."""
    open_part(request, PART)
    words = request.locale.texts.settings
    return show_part(
        request,
        PART,
        note=words.notes.notifications,
        buttons=[button(request, "change", address_of(PART, "change"), Right.READ)],
        facts=list(_facts_of(request, _load(request))),
    )


def _facts_of(request: PageRequest, found: NotificationPreference) -> Iterator[TableFact]:
    words = request.locale.texts.settings
    fields, never = words.fields, str(words.never)
    channels = (f"{words.channels[one.channel]} {one.address or ''}".strip() for one in found.channels)
    yield TableFact(fields.channels, Cell(" → ".join(channels)))
    yield TableFact(fields.language, Cell(words.languages[found.language]))
    yield TableFact(fields.timezone, Cell(found.timezone or str(words.zone_of_policy)))
    yield TableFact(fields.immediate_level, Cell(str(found.immediate_level)))
    yield TableFact(fields.digest_times, Cell(str(words.list_comma).join(found.digest_times)))
    quiet = f"{found.quiet.quiet_from} – {found.quiet.quiet_until}" if found.quiet else never
    yield TableFact(fields.quiet_hours, Cell(quiet))
    every = preference_json("", found)["remind_every"]
    yield TableFact(fields.remind_every, Cell(every or never))


@router.get("/change")
def show_change(request: SignedIn) -> Response:
    """The form of the wishes."""
    found = preference_json("", _load(request))
    values = {
        **found,
        **{f"quiet_hours.{name}": value for name, value in (found["quiet_hours"] or {}).items()},
    }
    for number, one in enumerate(found["channels"]):
        values |= {f"channels.{number}.{name}": value for name, value in one.items()}
    return show_sheet(request, _sheet(request), values)


@router.post("/change")
def change(request: SignedIn, form: SentForm) -> Response:
    """Replace the wishes of the reader."""
    sheet = _sheet(request)

    def work(tx: Transaction) -> str:
        members = read_members(form, sheet.fields, request.locale)
        members["channels"] = [one for one in members.get("channels", {}).values() if "channel" in one]
        command = read_command(PutNotificationPreference, members)
        login = own_login(request.caller)
        preference_use_cases.put_preference(get_service(request.http), tx, login, command)
        return saved(address_of(PART))

    return send_sheet(request, sheet, form, work)


def _sheet(request: PageRequest) -> Sheet:
    open_part(request, PART)
    return make_sheet(
        request, "change_notifications", PART, back=address_of(PART), fields=tuple(_fields(request))
    )


def _fields(request: PageRequest) -> Iterator[FormField]:
    locale, words = request.locale, request.locale.texts.settings
    channels = [("", "–"), *((str(one), str(words.channels[one])) for one in MessageChannel)]
    for number in range(_CHANNELS):
        place = f"channels.{number}"
        yield FormField(
            name=f"{place}.channel",
            label=f"{words.fields.channel_number} {number + 1}",
            kind=FieldKind.CHOICE,
            options=channels,
        )
        yield FormField(name=f"{place}.address", label=f"{words.fields.address_number} {number + 1}")
    yield make_field(locale, "language", FieldKind.CHOICE, options=_languages(words))
    yield make_field(locale, "timezone")
    yield make_field(locale, "immediate_level", FieldKind.NUMBER)
    yield make_field(locale, "digest_times", FieldKind.WORDS)
    yield make_field(locale, "quiet_hours.from_time")
    yield make_field(locale, "quiet_hours.until_time")
    yield make_field(locale, "remind_every")


def _languages(words: Any) -> list[tuple[str, str]]:
    return [(str(one), str(words.languages[one])) for one in Language]
