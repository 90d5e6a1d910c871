"""The messages that were sent to people, and those that failed."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings.layout import open_part, read_configuration, show_part
from complaints.console.views.clock_badges import Tone
from complaints.console.views.rows import name_of_user
from complaints.console.views.tables import Cell, Table
from complaints.domain.staff import Directory
from complaints.features.notifications import delivery_use_cases
from complaints.features.notifications.delivery_use_cases import DeliveryFilter
from complaints.features.notifications.model import MessageDelivery, MessageStatus
from complaints.use_cases.commands.field_types import Instant

router = PrefixedRouter(prefix="/deliveries")
PART = "deliveries"
_PAGE = 50
_TONES = {
    MessageStatus.WAITING: Tone.RUNNING,
    MessageStatus.ACCEPTED: Tone.MET,
    MessageStatus.UNDELIVERED: Tone.LATE,
    MessageStatus.MOOT: Tone.CANCELLED,
}


@router.get("")
def list_deliveries(
    request: SignedIn,
    status: MessageStatus = MessageStatus.UNDELIVERED,
    at: Annotated[Instant | None, Query()] = None,
    id: Annotated[UUID | None, Query()] = None,  # noqa: A002 - the name in the address
) -> Response:
    """The messages with a status, newest first: at first those that failed."""
    open_part(request, PART)
    words = request.locale.texts.settings
    before: tuple[datetime, UUID] | None = (at, id) if at is not None and id is not None else None
    found = request.read(
        lambda tx: delivery_use_cases.list_deliveries(
            request.service,
            tx,
            request.caller,
            DeliveryFilter(status=status),
            complaint=None,
            before=before,
            limit=_PAGE + 1,
        )
    )
    heads, directory = words.heads, read_configuration(request).directory
    table = Table(
        (heads.message, heads.recipient, heads.channel, heads.state, heads.created, heads.fault),
        [_row(request, directory, one) for one in found[:_PAGE]],
        empty=words.empty.deliveries,
        more=_more(status, found[_PAGE - 1]) if len(found) > _PAGE else "",
    )
    return show_part(
        request,
        PART,
        "settings/deliveries.html",
        note=words.notes.deliveries,
        tables=[table],
        statuses=[(one, words.message_states[one]) for one in MessageStatus],
        chosen=status,
    )


def _more(status: MessageStatus, last: MessageDelivery) -> str:
    at = last.created_at.isoformat().replace("+00:00", "Z")
    return f"?status={status}&at={at}&id={last.id}"


def _row(request: PageRequest, directory: Directory, one: MessageDelivery) -> tuple[Cell, ...]:
    words, locale = request.locale.texts.settings, request.locale
    return (
        Cell(one.template, note=words.level_number.format(level=one.level) if one.level else ""),
        Cell(name_of_user(directory, one.recipient) if ":" not in one.recipient else one.recipient),
        Cell(str(words.channels[one.channel]) if one.channel else "–"),
        Cell(str(words.message_states[one.status]), tone=_TONES[one.status]),
        Cell(locale.time(one.created_at)),
        Cell(one.fault or "–"),
    )
