"""The statuses of TMF621 for those of complaints. Pure."""

from enum import StrEnum

from complaints.domain.vocabulary import HoldReason, Status


class TicketStatus(StrEnum):
    """The states of a trouble ticket, as TMF621 names them."""

    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    PENDING = "pending"
    HELD = "held"
    IN_PROGRESS = "inProgress"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    RESOLVED = "resolved"


_BY_STATUS = {
    Status.RECEIVED: TicketStatus.ACKNOWLEDGED,
    Status.INVESTIGATING: TicketStatus.IN_PROGRESS,
    Status.ON_HOLD: TicketStatus.HELD,
    Status.RESOLVED: TicketStatus.RESOLVED,
    Status.FOLLOWING_UP: TicketStatus.RESOLVED,
    Status.CLOSED: TicketStatus.CLOSED,
    Status.REJECTED: TicketStatus.REJECTED,
    Status.WITHDRAWN: TicketStatus.CANCELLED,
    Status.MERGED: TicketStatus.CLOSED,
}


def ticket_status(status: Status, hold_reason: HoldReason | str | None = None) -> TicketStatus:
    """The status of the ticket for that of the complaint. `hold_reason` is that of the present hold."""
    if status is Status.ON_HOLD and hold_reason == HoldReason.AWAITING_COMPLAINANT:
        return TicketStatus.PENDING
    return _BY_STATUS[status]
