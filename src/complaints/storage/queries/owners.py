"""The users who have or had a complaint or another subject: its owners, those before them, and the recipients."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from complaints.domain.scope import ALL_COMPLAINTS
from complaints.storage.database.transactions import Transaction
from complaints.storage.load import Reference, load_owners
from complaints.storage.rows.escalation import escalation, escalation_recipient
from complaints.storage.rows.event import event
from complaints.storage.subjects import load_subject

e, r = escalation.c, escalation_recipient.c
_OWNERS = ("assignee", "first_owner", "owner")


@dataclass(frozen=True, slots=True)
class PresentOwners:
    """The logins of assignee and first owner, or of the owner of a subject that is no complaint.

    All events of the complaint or subject have a `sequence` above `events_after`.
    """

    id: UUID
    logins: frozenset[str | None]
    events_after: int
    is_complaint: bool = True


def find_complaint_owners(tx: Transaction, reference: Reference) -> PresentOwners:
    """The owners of the complaint with this id or number, whatever the scope. Raises NotFound."""
    found = load_owners(tx, reference)
    return PresentOwners(found.id, frozenset({found.assignee, found.first_owner}), found.events_after)


def find_subject_owners(tx: Transaction, kind: str | None, reference: str | UUID) -> PresentOwners:
    """The owner of the subject of a kind with this id or number, whatever the scope. Raises NotFound."""
    found = load_subject(tx, kind, reference, scope=ALL_COMPLAINTS)
    owner = found.subject.owner
    return PresentOwners(found.subject.id, frozenset({owner}), found.events_after, is_complaint=False)


def was_notified(tx: Transaction, found: PresentOwners, logins: Collection[str]) -> bool:
    """True if an escalation of the complaint or subject notified one of `logins`."""
    statement = (
        select(r.login)
        .join(escalation, e.id == r.escalation_id)
        .where(_belongs_to(e, found), r.login.in_(logins))
        .limit(1)
    )
    return tx.connection.execute(statement).first() is not None


def was_owner(tx: Transaction, found: PresentOwners, login: str) -> bool:
    """True if the history names the user as an owner. Events in detached months are left out."""
    statement = select(event.c.data).where(_belongs_to(event.c, found), event.c.sequence > found.events_after)
    changes = (json.loads(data).get("changes", {}) for data in tx.connection.execute(statement).scalars())
    return any(one.get(name) == login for one in changes for name in _OWNERS)


def _belongs_to(columns: Any, found: PresentOwners) -> ColumnElement[bool]:
    owner: ColumnElement[Any] = columns.complaint_id if found.is_complaint else columns.subject_id
    return owner == found.id
