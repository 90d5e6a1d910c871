"""Reads everything stored about complaints, batch by batch, for `complaints check`."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from complaints.storage import months
from complaints.storage.database.transactions import Transaction
from complaints.storage.load import find_complaints
from complaints.storage.rows.complaint import ComplaintRecord, complaint
from complaints.storage.rows.escalation import escalation
from complaints.storage.rows.event import event


class ComplaintRow(NamedTuple):
    """A complaint, and the stored columns that must follow from it."""

    loaded: ComplaintRecord
    next_due_at: datetime | None
    overdue_after_at: datetime | None
    wake_at: datetime | None
    parked_at: datetime | None


class EventRow(NamedTuple):
    """An event as stored. `data` is the text from which its digest was made."""

    complaint_id: UUID
    ordinal: int
    type: str
    version: int
    at: datetime
    actor: str
    data: str
    digest: bytes


class EscalationRow(NamedTuple):
    """An escalation as stored."""

    complaint_id: UUID
    deadline_id: UUID | None
    step: str
    planned_at: datetime
    taken_at: datetime
    superseded: bool
    recipients: list[str]
    settled_at: datetime | None


class AuditBatch(NamedTuple):
    """Complaints, ordered by id.

    `stored` can be read. `unreadable` are the sequences of complaints that cannot be read. `last` is the last id of
    both.
    """

    stored: list[ComplaintRow]
    unreadable: list[int]
    last: UUID | None


def find_batch(tx: Transaction, after: UUID | None, limit: int) -> AuditBatch:
    """Up to `limit` complaints after the id `after`."""
    c = complaint.c
    columns = (c.id, c.sequence, c.next_due_at, c.overdue_after_at, c.wake_at, c.parked_at)
    statement = select(*columns).order_by(c.id).limit(limit)
    if after is not None:
        statement = statement.where(c.id > after)
    rows = list(tx.connection.execute(statement))
    loaded = _load_readable(tx, [row.id for row in rows])
    return AuditBatch(
        stored=[ComplaintRow(loaded[row.id], *row[2:]) for row in rows if row.id in loaded],
        unreadable=[row.sequence for row in rows if row.id not in loaded],
        last=rows[-1].id if rows else None,
    )


def _load_readable(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, ComplaintRecord]:
    """The complaints whose stored data is valid.

    They are loaded together. If that fails, each is loaded alone, and the invalid ones are left out.
    """
    try:
        found = find_complaints(tx, complaint.c.id.in_(ids)) if ids else []
    except (ValueError, TypeError, LookupError):
        if len(ids) == 1:
            return {}
        return {key: record for i in ids for key, record in _load_readable(tx, [i]).items()}
    return {record.complaint.id: record for record in found}


def find_events(tx: Transaction, batch: Sequence[ComplaintRow]) -> Sequence[EventRow]:
    """The events of complaints, ordered by complaint and ordinal."""
    if not batch:
        return []
    columns = [event.c[name] for name in EventRow._fields]
    statement = select(*columns).where(
        event.c.complaint_id.in_([stored.loaded.complaint.id for stored in batch]),
        event.c.sequence > min(stored.loaded.events_after for stored in batch),
    )
    rows = tx.connection.execute(statement.order_by(event.c.complaint_id, event.c.ordinal))
    return [EventRow(*row) for row in rows]


def find_escalations(tx: Transaction, complaint_ids: Collection[UUID]) -> Sequence[EscalationRow]:
    """The escalations of complaints, ordered by complaint and planned time."""
    columns = [escalation.c[name] for name in EscalationRow._fields]
    statement = select(*columns).where(escalation.c.complaint_id.in_(complaint_ids))
    rows = tx.connection.execute(statement.order_by(escalation.c.complaint_id, escalation.c.planned_at))
    return [EscalationRow(*row) for row in rows]


def count_cut_off(tx: Transaction) -> int:
    """The number of complaints that began before the first month that the history still has."""
    cut_off = complaint.c.events_after < months.horizon(tx)
    return tx.connection.execute(select(func.count()).select_from(complaint).where(cut_off)).scalar_one()


def count_complaints(tx: Transaction) -> int:
    """The number of all complaints."""
    return tx.connection.execute(select(func.count()).select_from(complaint)).scalar_one()
