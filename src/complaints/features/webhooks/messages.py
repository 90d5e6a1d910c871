"""The messages: built from the history when they are sent, in the form that a subscription asks for."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.api.complaints.json_shapes import complaint_json
from complaints.domain.complaint.subject import COMPLAINT_KIND
from complaints.domain.errors import NotFound
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
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """A delivery with its message. `body` is None if the month of its event is detached.

    `owner_id` is the complaint or other subject; `attempts` were made before.
    """

    delivery_id: int
    owner_id: UUID
    event_id: UUID
    attempts: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Lease:
    """A subscription that this process sends to now. `width` is how many complaints it sends about at a time."""

    webhook: Webhook
    owner: Caller
    delivery_ids: Sequence[int]
    width: int


def content_type_of(webhook: Webhook) -> str:
    """The media type of the messages of a subscription."""
    return CLOUD_EVENT if webhook.format == "cloudevents" else JSON


def build_messages(
    service: Service, tx: Transaction, leases: Sequence[Lease]
) -> dict[UUID, list[WebhookMessage]]:
    """The messages of leased subscriptions, in order, as their owners may see them: by subscription."""
    ids = [one for lease in leases for one in lease.delivery_ids]
    with_texts = any(lease.webhook.payload == "full" for lease in leases)
    rows = deliveries.load_deliveries(tx, ids, with_texts=with_texts)
    by_webhook: dict[UUID, list[Mapping[Any, Any]]] = {lease.webhook.id: [] for lease in leases}
    for row in rows:
        by_webhook[row["webhook_id"]].append(row)
    return {
        lease.webhook.id: _messages_of(service, tx, lease, by_webhook[lease.webhook.id]) for lease in leases
    }


def _messages_of(
    service: Service, tx: Transaction, lease: Lease, rows: Sequence[Mapping[Any, Any]]
) -> list[WebhookMessage]:
    webhook, owner = lease.webhook, lease.owner
    shown = _Complaints(service, tx, owner) if webhook.payload == "full" else None
    messages = []
    for row in rows:
        body = _body_of(service, webhook, row, shown) if row["id"] is not None else None
        messages.append(
            WebhookMessage(row["delivery_id"], row["owner_id"], row["event_id"], row["attempts"], body)
        )
    if shown is not None and shown.in_clear:
        # The line of a read with personal data, as for requests.
        log.info("webhook", extra={"caller": owner.actor, "persons_of": [str(one) for one in shown.in_clear]})
    return messages


def build_test(service: Service, webhook: Webhook, message_id: UUID, now: datetime) -> bytes:
    """The test message of a subscription. It is about no complaint."""
    return encode(_envelope(service, webhook, TEST_TYPE, message_id, now, None, {}))


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


def _body_of(service: Service, webhook: Webhook, row: Mapping[Any, Any], shown: _Complaints | None) -> bytes:
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
    return encode(_envelope(service, webhook, row["type"], row["id"], row["at"], name.number, data))


def _envelope(
    service: Service,
    webhook: Webhook,
    kind: str,
    message_id: UUID,
    at: datetime,
    subject: str | None,
    data: dict[str, Any],
) -> dict[str, Any]:
    if webhook.format != "cloudevents":
        return {"type": kind, "timestamp": at, "data": data}
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
