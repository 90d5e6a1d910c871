"""The use cases of deliveries: write one, list them, and note what the gateway reports about one."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from complaints.domain.errors import Conflict, InvalidContent, NotFound
from complaints.features.notifications import rules
from complaints.features.notifications.model import (
    Audience,
    MessageDelivery,
    MessageStatus,
    NewDelivery,
    ReceiptStatus,
)
from complaints.features.notifications.tables import deliveries
from complaints.features.notifications.tables.deliveries import DeliveryFilter as DeliveryFilter
from complaints.use_cases.access import Caller
from complaints.use_cases.complaints.known import load_known_id
from complaints.use_cases.complaints.undelivered import escalate_undelivered
from complaints.use_cases.named_filters import check_name
from complaints.use_cases.service import Service, Transaction

NAME = "notifications"


def enqueue(service: Service, tx: Transaction, new: NewDelivery) -> bool:
    """Write a message that shall be sent. False if it was written before: the same event is handled again."""
    return deliveries.insert_delivery(tx, service.new_id(), new, wall=service.wall())


def report_lost(service: Service, tx: Transaction, delivery: MessageDelivery, reason: str) -> None:
    """A message reached nobody, or it bounced. For one to a complainant, assignee and team lead hear (rule 10.6).

    One to staff is listed: the same users would hear of it, and they cannot be reached.
    """
    if delivery.audience is Audience.COMPLAINANT and delivery.complaint_id is not None:
        told = f"The message {delivery.template!r} to the complainant was not delivered: {reason}"
        escalate_undelivered(service, tx, delivery.complaint_id, told)


def record_receipt(
    service: Service,
    tx: Transaction,
    delivery_id: UUID,
    status: ReceiptStatus,
    *,
    part: int = 1,
    parts: int = 1,
    reason: str | None = None,
) -> None:
    """Note what became of a part of an accepted message. A part that failed makes it undelivered (rule 10.6).

    The first word about a part counts. Raises NotFound, InvalidContent for a part that the message does not have,
    and Conflict for a message that nobody has accepted yet.
    """
    if part > parts:
        raise InvalidContent.at("/part", f"There is no part {part} of {parts}.")
    delivery = deliveries.find_delivery(tx, delivery_id, lock=True)
    if delivery is None:
        raise NotFound(f"There is no delivery {str(delivery_id)!r}.")
    if delivery.status is not MessageStatus.ACCEPTED and not delivery.receipts:
        raise Conflict("This message is not accepted yet: send the receipt again later.")
    if str(part) in delivery.receipts:
        return
    receipts = {**delivery.receipts, str(part): status.value}
    judged = rules.judge_receipts(receipts, parts)
    deliveries.save_receipts(tx, delivery_id, receipts, judged)
    if judged is ReceiptStatus.FAILED and delivery.receipt is not ReceiptStatus.FAILED:
        fault = rules.hide_addresses(reason or "It bounced.")
        deliveries.mark_bounced(tx, delivery_id, fault)
        report_lost(service, tx, delivery, fault)


def list_deliveries(
    service: Service,
    tx: Transaction,
    caller: Caller,
    asked: DeliveryFilter,
    *,
    complaint: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[MessageDelivery]:
    """Deliveries, newest first: those about complaints that the caller may know of, and the caller's own.

    Raises NotFound for a complaint that the caller may not know of, and InvalidContent for an unknown recipient.
    """
    complaint_id = load_known_id(tx, caller, complaint) if complaint else None
    if asked.recipient is not None and ":" not in asked.recipient:
        users = service.configuration(tx).directory.users
        check_name(asked.recipient, users, parameter="recipient", thing="user")
    return deliveries.list_deliveries(
        tx,
        asked,
        complaint_id=complaint_id,
        scope=caller.scope,
        login=caller.login,
        before=before,
        limit=limit,
    )
