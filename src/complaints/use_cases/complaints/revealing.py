"""Reveal the persons of one complaint to a caller who sees masks, and read the log of such accesses (rule 9.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

from complaints.domain.vocabulary import AccessKind
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import access_log
from complaints.storage.rows.access_log import Access
from complaints.storage.rows.access_log import AccessFilter as AccessFilter
from complaints.storage.rows.access_log import AccessPosition as AccessPosition
from complaints.storage.rows.access_log import ListedAccess as ListedAccess
from complaints.storage.rows.person import Persons, find_persons
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.known import load_known_complaint
from complaints.use_cases.service import Service


@dataclass(frozen=True, slots=True)
class RevealedPersons:
    """The persons of one complaint in clear, and the entry of the access log about it."""

    access: Access
    complaint_sequence: int
    persons: Persons
    service_id: str | None


def reveal(
    service: Service, tx: Transaction, caller: Caller, reference: str, *, reason: str
) -> RevealedPersons:
    """The persons of a complaint in clear. Writes a row of the access log in the same transaction.

    Raises Forbidden without the right, and NotFound outside the scope that the right has.
    """
    caller.require(Right.REVEAL)
    complaint = load_known_complaint(tx, caller, reference, right=Right.REVEAL).complaint
    access = Access(service.new_id(), tx.now, caller.actor, AccessKind.REVEAL, complaint.id, reason)
    access_log.write_access(tx, access)
    persons = find_persons(tx, [complaint.id]).get(complaint.id, {})
    return RevealedPersons(access, complaint.sequence, persons, complaint.service_id)


def note_export(service: Service, tx: Transaction, caller: Caller, reason: str) -> None:
    """Write a row of the access log about an export that shows persons in clear. It names no complaint."""
    access_log.write_access(
        tx, Access(service.new_id(), tx.now, caller.actor, AccessKind.EXPORT, None, reason)
    )


def list_accesses(
    tx: Transaction, caller: Caller, asked: AccessFilter, *, after: AccessPosition | None, limit: int
) -> Sequence[ListedAccess]:
    """Up to `limit` rows of the access log that fit, latest first. Raises Forbidden.

    Rows about complaints outside the scope of the caller are left out. Rows about exports are for a caller whose
    scope is every complaint.
    """
    caller.require(Right.AUDIT)
    scope = caller.scope_for(Right.AUDIT)
    return access_log.list_accesses(tx, asked, scope=scope, after=after, limit=limit)
