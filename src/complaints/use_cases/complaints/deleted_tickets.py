"""Tickets that a caller of TMF621 deleted. Their complaints are withdrawn, and only that interface hides them."""

from collections.abc import Mapping
from typing import Any

from complaints.domain.vocabulary import Status
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import deleted_ticket


def is_deleted_ticket(tx: Transaction, members: Mapping[str, Any]) -> bool:
    """True if the complaint with these members is withdrawn because its ticket was deleted."""
    return members["status"] == Status.WITHDRAWN and deleted_ticket.is_deleted(tx, members["id"])
