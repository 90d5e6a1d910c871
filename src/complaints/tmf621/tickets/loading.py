"""Complaints with all that their tickets show: statuses and notes from the history, and the present hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from complaints.domain.vocabulary import HoldReason
from complaints.use_cases.access import Caller
from complaints.use_cases.complaints.lists import load_view
from complaints.use_cases.complaints.views import ComplaintParts
from complaints.use_cases.service import Service, Transaction


@dataclass(frozen=True, slots=True)
class TicketParts:
    """One ticket as a caller sees it. `hold_reason` is that of the present hold."""

    complaint: ComplaintParts
    hold_reason: HoldReason | None = None


def load_ticket(service: Service, tx: Transaction, caller: Caller, reference: str) -> TicketParts:
    """One ticket by the id or the number of its complaint. Raises NotFound, also for a ticket that was deleted."""
    [found] = load_tickets(service, tx, caller, [load_view(service, tx, caller, reference).parts])
    return found


def load_tickets(
    service: Service, tx: Transaction, caller: Caller, found: Sequence[ComplaintParts]
) -> list[TicketParts]:
    """The tickets of complaints, in the same order."""
    return [TicketParts(parts) for parts in found]
