"""A mail that the mail server took, and that came back later (rule 10.6)."""

from uuid import UUID

from complaints.features.notifications import tables
from complaints.features.notifications.mailbox import tables as mailbox_tables
from complaints.features.notifications.model import MessageStatus
from complaints.features.notifications.use_cases import report_lost
from complaints.use_cases.service import Service, Transaction

_REASON = "The mail came back."


def report_bounce(service: Service, tx: Transaction, delivery_id: UUID) -> None:
    """Note that a message came back. A second report about it changes nothing."""
    delivery = tables.find_delivery(tx, delivery_id, lock=True)
    if delivery is None or delivery.status is not MessageStatus.ACCEPTED:
        return
    mailbox_tables.note_bounce(tx, delivery_id, _REASON)
    report_lost(service, tx, delivery, _REASON)
