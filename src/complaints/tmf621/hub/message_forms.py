"""The messages of hubs: events of the history as events of TMF621, built when they are sent.

`app` hands the forms to `wiring`, and so to the annex that sends them.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from complaints.api.feature import FormedMessage, MessageForm, MessageReader
from complaints.domain.json_text import encode
from complaints.domain.vocabulary import EventType
from complaints.tmf621.editions import Edition, Members
from complaints.tmf621.hub.envelopes import envelope_v4, envelope_v5
from complaints.tmf621.hub.hub_queries import HubQuery, read_query
from complaints.tmf621.hub.ticket_events import TicketEvent, events_of
from complaints.tmf621.queries.fields import pick_fields
from complaints.tmf621.requests import base_of
from complaints.tmf621.tickets.loading import load_tickets
from complaints.tmf621.tickets.representation import ticket_json
from complaints.use_cases.complaints.deleted_tickets import is_deleted_ticket
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.complaints.lists import Order, SortKey, show_complaints
from complaints.use_cases.service import Service, Transaction

_JSON = "application/json"
_TEST_TYPE = "webhook.test"
_ANY_ORDER = Order(SortKey.RECEIVED_AT)
_ENVELOPES: Mapping[str, Callable[[TicketEvent, UUID, UUID, datetime, Members], Members]] = {
    "v4": envelope_v4,
    "v5": envelope_v5,
}
log = logging.getLogger(__name__)


def form_name(edition: Edition) -> str:
    """The name of the form in which the hubs of an edition get their events."""
    return f"tmf621.{edition.name}"


def make_form(edition: Edition) -> MessageForm:
    """The form of the messages of an edition."""
    return MessageForm(_JSON, partial(_build, edition), _build_test)


@dataclass(frozen=True, slots=True)
class _TicketNow:
    """A ticket as the owner of a hub sees it now."""

    shown: Members
    is_deleted: bool


def _build(
    edition: Edition,
    service: Service,
    tx: Transaction,
    reader: MessageReader,
    rows: Sequence[Mapping[Any, Any]],
) -> list[list[FormedMessage]]:
    """The messages of each event, in order. A ticket that the owner may not see gives none."""
    query = read_query(reader.query)
    events = [(row, json.loads(row["data"])) for row in rows]
    asked = [row for row, data in events if row["complaint_id"] and events_of(row["type"], data)]
    tickets = _load(edition, service, tx, reader, asked)
    return [
        [] if ticket is None else _messages_of(edition, query, row, data, ticket)
        for row, data in events
        for ticket in [tickets.get(row["complaint_id"])]
    ]


def _load(
    edition: Edition,
    service: Service,
    tx: Transaction,
    reader: MessageReader,
    rows: Sequence[Mapping[Any, Any]],
) -> dict[UUID, _TicketNow]:
    """The tickets of events by the id of their complaint, with few statements for all of them."""
    ids = {row["complaint_id"] for row in rows}
    withdrawn = {row["complaint_id"] for row in rows if row["type"] == EventType.WITHDRAWN}
    known = show_complaints(service, tx, reader.caller, ids, ComplaintFilter(), _ANY_ORDER).found
    in_clear = [str(parts.members["id"]) for parts in known if parts.in_clear and parts.persons]
    if in_clear:
        # The line of a read with personal data, as for requests.
        log.info("webhook", extra={"caller": reader.caller.actor, "persons_of": in_clear})
    base = base_of(service, edition)
    found = {}
    for ticket in load_tickets(service, tx, reader.caller, known):
        members = ticket.complaint.members
        is_deleted = members["id"] in withdrawn and is_deleted_ticket(tx, members)
        shown = edition.show(ticket_json(ticket, base), reader.caller.source)
        found[members["id"]] = _TicketNow(shown, is_deleted)
    return found


def _messages_of(
    edition: Edition, query: HubQuery, row: Mapping[Any, Any], data: Mapping[str, Any], ticket: _TicketNow
) -> list[FormedMessage]:
    messages = []
    for event in events_of(row["type"], data, is_deleted=ticket.is_deleted):
        if event in query.events:
            event_id = uuid5(row["id"], event)
            shown = _shown(edition, query, event, ticket)
            content = _ENVELOPES[edition.name](event, event_id, row["id"], row["at"], shown)
            messages.append(FormedMessage(event_id, encode(content)))
    return messages


def _shown(edition: Edition, query: HubQuery, event: TicketEvent, ticket: _TicketNow) -> Members:
    """The members of a ticket that its event has. A deleted ticket is only named."""
    shown = ticket.shown
    if event is TicketEvent.DELETE:
        kind = {"@type": "TroubleTicketRef"} if edition.name == "v5" else {}
        return {"id": shown["id"], "href": shown["href"], **kind}
    return pick_fields(shown, query.fields)


def _build_test(_service: Service, message_id: UUID, now: datetime) -> bytes:
    """A test message. It is about no ticket."""
    return encode(
        {"@type": "Event", "eventId": message_id, "eventTime": now, "eventType": _TEST_TYPE, "event": {}}
    )
