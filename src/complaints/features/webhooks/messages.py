"""The messages: built from the history when they are sent, in the form that a subscription asks for."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from complaints.api.complaints.json_shapes import complaint_json
from complaints.api.feature import Annexes, FormedMessage, MessageForm, MessageReader
from complaints.domain.complaint.subject import COMPLAINT_KIND
from complaints.domain.errors import ComplaintError, NotFound, Unavailable
from complaints.domain.json_text import encode
from complaints.features.webhooks.tables import deliveries
from complaints.features.webhooks.tables.subscriptions import Webhook
from complaints.storage.rows.subject import name_of
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.history import event_with_texts
from complaints.use_cases.complaints.lists import load_view
from complaints.use_cases.complaints.shown_events import show_data
from complaints.use_cases.service import Service, Transaction

JSON = "application/json"
CLOUD_EVENT = "application/cloudevents+json"
TEST_TYPE = "webhook.test"
EVENT_GONE = "event-gone"
FAULT = "fault"
Row = Mapping[Any, Any]
# Faults of the program. Errors of the database are none of these: they stop the whole batch, which comes again.
_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ComplaintError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
_Envelope = Callable[[Service, str, UUID, datetime, str | None, dict[str, Any]], dict[str, Any]]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """A delivery with its messages, which are sent one after another. Without a message nothing is sent.

    `owner_id` is the complaint or other subject; `attempts` were made before. `failure` says why nothing can be sent:
    the month of the event is detached, or the program could not build the messages.
    """

    delivery_id: int
    owner_id: UUID
    event_id: UUID
    attempts: int
    parts: Sequence[FormedMessage] = ()
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """A subscription that this process sends to now. `width` is how many complaints it sends about at a time."""

    webhook: Webhook
    owner: Caller
    delivery_ids: Sequence[int]
    width: int


def build_messages(
    service: Service, tx: Transaction, leases: Sequence[Lease], forms: Mapping[str, MessageForm]
) -> dict[UUID, list[WebhookMessage]]:
    """The messages of leased subscriptions, in order, as their owners may see them: by subscription."""
    ids = [one for lease in leases for one in lease.delivery_ids]
    with_texts = any(lease.webhook.payload == "full" for lease in leases)
    rows = deliveries.load_deliveries(tx, ids, with_texts=with_texts)
    by_webhook: dict[UUID, list[Row]] = {lease.webhook.id: [] for lease in leases}
    for row in rows:
        by_webhook[row["webhook_id"]].append(row)
    return {
        lease.webhook.id: _messages_of(service, tx, lease, by_webhook[lease.webhook.id], forms)
        for lease in leases
    }


def _messages_of(
    service: Service, tx: Transaction, lease: Lease, rows: Sequence[Row], forms: Mapping[str, MessageForm]
) -> list[WebhookMessage]:
    webhook = lease.webhook
    reader = MessageReader(lease.owner, webhook.payload, webhook.query)
    there = [row for row in rows if row["id"] is not None]

    def build(some: Sequence[Row]) -> Sequence[Sequence[FormedMessage]]:
        return forms[webhook.format].build(service, tx, reader, some)

    built = dict(zip([row["delivery_id"] for row in there], _build_safely(build, there), strict=True))
    messages = []
    for row in rows:
        parts = built.get(row["delivery_id"])
        failure = EVENT_GONE if row["id"] is None else FAULT if parts is None else None
        members = (row["delivery_id"], row["owner_id"], row["event_id"], row["attempts"])
        messages.append(WebhookMessage(*members, parts or (), failure))
    return messages


def _build_safely(
    build: Callable[[Sequence[Row]], Sequence[Sequence[FormedMessage]]], rows: Sequence[Row]
) -> Sequence[Sequence[FormedMessage] | None]:
    """The messages of each row. None for a row on which the form fails: it must not stop the other rows."""
    try:
        return build(rows)
    except Unavailable:
        raise
    except _FAULTS:
        if len(rows) > 1:
            return [one for row in rows for one in _build_safely(build, [row])]
        log.exception("a webhook could not be built", extra={"events": [str(row["id"]) for row in rows]})
        return [None] * len(rows)


def build_test(service: Service, form: MessageForm, message_id: UUID, now: datetime) -> FormedMessage:
    """A test message. It is about no complaint."""
    return FormedMessage(message_id, form.build_test(service, message_id, now))


class _Complaints:
    """The complaints of one batch as a caller sees them. `in_clear` has the complaints whose persons are shown."""

    def __init__(self, service: Service, tx: Transaction, caller: Caller) -> None:
        self._service, self._tx, self._caller = service, tx, caller
        self._found: dict[UUID, dict[str, Any] | None] = {}
        self.in_clear: list[UUID] = []

    def complaint(self, complaint_id: UUID) -> dict[str, Any] | None:
        """The representation of a complaint; None outside the scope of the caller."""
        if complaint_id not in self._found:
            self._found[complaint_id] = self._load(complaint_id)
        return self._found[complaint_id]

    def _load(self, complaint_id: UUID) -> dict[str, Any] | None:
        try:
            view = load_view(self._service, self._tx, self._caller, str(complaint_id))
        except NotFound:
            return None
        if view.in_clear and view.persons:
            self.in_clear.append(complaint_id)
        return complaint_json(view.parts)

    def event(self, row: Mapping[Any, Any]) -> dict[str, Any]:
        """The event with its texts, as the timeline shows it to the caller."""
        found = event_with_texts(row)
        internal = self._caller.has_right_everywhere(Right.SEE_INTERNAL)
        shown = show_data(self._tx, self._caller, [(found.type, found.data)], internal=internal)
        return {"id": found.id, "actor": found.actor, "at": found.at, "data": shown[0]}


def _build(
    envelope: _Envelope, service: Service, tx: Transaction, reader: MessageReader, rows: Sequence[Row]
) -> list[list[FormedMessage]]:
    """One message for each event, in an envelope."""
    shown = _Complaints(service, tx, reader.caller) if reader.payload == "full" else None
    built = [[FormedMessage(row["id"], _body_of(service, envelope, row, shown))] for row in rows]
    if shown is not None and shown.in_clear:
        # The line of a read with personal data, as for requests.
        persons_of = [str(one) for one in shown.in_clear]
        log.info("webhook", extra={"caller": reader.caller.actor, "persons_of": persons_of})
    return built


def _body_of(service: Service, envelope: _Envelope, row: Row, shown: _Complaints | None) -> bytes:
    name = name_of(row)
    changed = json.loads(row["data"]).get("changes", {}).get("status")
    data: dict[str, Any] = {
        "id": row["complaint_id"],
        "number": name.number,
        "source": row["source"],
        "external_id": row["external_id"],
        "status": changed or row["complaint_status"] or row["subject_status"],
        "sequence": row["sequence"],
        "version": row["version"],
        "href": f"{service.public_url or ''}/v1/complaints/{name.id}"
        if name.kind == COMPLAINT_KIND
        else None,
        "subject": asdict(name),
    }
    if shown is not None and row["complaint_id"] is not None:
        data["complaint"] = shown.complaint(row["complaint_id"])
        data["event"] = shown.event(row) if data["complaint"] is not None else None
    return encode(envelope(service, row["type"], row["id"], row["at"], name.number, data))


def _standard(
    _service: Service,
    kind: str,
    _message_id: UUID,
    at: datetime,
    _subject: str | None,
    data: dict[str, Any],
) -> dict[str, Any]:
    return {"type": kind, "timestamp": at, "data": data}


def _cloud_event(
    service: Service, kind: str, message_id: UUID, at: datetime, subject: str | None, data: dict[str, Any]
) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": message_id,
        "source": f"{service.public_url or ''}/v1/changes",
        "type": kind,
        "time": at,
        **({"subject": subject} if subject else {}),
        "datacontenttype": JSON,
        "data": data,
    }


def _make_form(content_type: str, envelope: _Envelope) -> MessageForm:
    def build_test(service: Service, message_id: UUID, now: datetime) -> bytes:
        return encode(envelope(service, TEST_TYPE, message_id, now, None, {}))

    return MessageForm(content_type, partial(_build, envelope), build_test)


FORMS: Mapping[str, MessageForm] = {
    "standard": _make_form(JSON, _standard),
    "cloudevents": _make_form(CLOUD_EVENT, _cloud_event),
}
"""The forms of this annex. A subscription in another form is made where that form is at home."""


def forms_of(annexes: Annexes) -> Mapping[str, MessageForm]:
    """The forms of this annex and of the faces, by name."""
    return {**FORMS, **annexes.message_forms}
