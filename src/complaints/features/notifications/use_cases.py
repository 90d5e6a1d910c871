"""The use cases of notifications."""

from complaints.features.notifications import tables
from complaints.features.notifications.model import Audience, MessageDelivery, NewDelivery
from complaints.use_cases.complaints.undelivered import escalate_undelivered
from complaints.use_cases.service import Service, Transaction

NAME = "notifications"


def enqueue(service: Service, tx: Transaction, new: NewDelivery) -> bool:
    """Write a message that shall be sent. False if it was written before: the same event is handled again."""
    return tables.insert_delivery(tx, service.new_id(), new, wall=service.wall())


def report_lost(service: Service, tx: Transaction, delivery: MessageDelivery, reason: str) -> None:
    """A message reached nobody, or it bounced. For one to a complainant, assignee and team lead hear (rule 10.6).

    One to staff is listed: the same users would hear of it, and they cannot be reached.
    """
    if delivery.audience is Audience.COMPLAINANT and delivery.complaint_id is not None:
        told = f"The message {delivery.template!r} to the complainant was not delivered: {reason}"
        escalate_undelivered(service, tx, delivery.complaint_id, told)
