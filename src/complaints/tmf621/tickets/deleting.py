"""Deleting a ticket: its complaint is withdrawn, and this interface does not show it any more."""

from complaints.domain.errors import Conflict, TransitionRefused
from complaints.tmf621.requests import TmfRequest
from complaints.tmf621.tickets.loading import load_ticket
from complaints.use_cases.access import Right
from complaints.use_cases.complaints.known import load_known_complaint
from complaints.use_cases.complaints.withdrawing import withdraw_deleted
from complaints.use_cases.service import Transaction


def delete_ticket(request: TmfRequest, tx: Transaction, reference: str) -> None:
    """Delete a ticket. Raises Forbidden, Conflict for a ticket that has ended, and NotFound, also if it was deleted."""
    service, caller = request.service, request.caller
    caller.require(Right.CONTRIBUTE)
    found = load_known_complaint(tx, caller, reference, right=Right.CONTRIBUTE, lock=True).complaint
    status = load_ticket(service, tx, caller, str(found.id)).complaint.members["status"]
    try:
        withdraw_deleted(service, tx, caller, str(found.id))
    except TransitionRefused:
        raise Conflict(f"A ticket whose complaint is {status} cannot be deleted.") from None
