"""Withdrawing the complaint of a ticket that a caller of TMF621 deletes. Nothing is lost: `/v1` still shows it."""

from complaints.domain.complaint.facts import Complaint
from complaints.domain.vocabulary import Action
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.deleted_ticket import note_deleted
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.complaints import Withdraw
from complaints.use_cases.complaints.actions import transition
from complaints.use_cases.service import Service


def withdraw_deleted(service: Service, tx: Transaction, caller: Caller, reference: str) -> Complaint:
    """Withdraw a complaint because its ticket is deleted. Its ticket is there again if somebody reopens it.

    Raises TransitionRefused for a complaint that has ended, Forbidden, NotFound.
    """
    command = Withdraw(action=Action.WITHDRAW, reason=f"deleted by {caller.actor}")
    complaint = transition(service, tx, caller, reference, command, None)
    note_deleted(tx, complaint.id, complaint.cycle)
    return complaint
