"""Reads everything stored about complaints, batch by batch, for the invariants."""

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
    """A complaint, and the columns that should follow from it."""

    loaded: ComplaintRecord
    next_due_at: datetime | None
    overdue_after_at: datetime | None
    wake_at: datetime | None
    parked_at: datetime | None


class EventRow(NamedTuple):
    """An event as stored; `data` is the text that was digested."""

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


class AuditBatch(NamedTuple):
    """Complaints by id: those that can be read, the sequences of those that cannot, and the last id of them all."""

    stored: list[ComplaintRow]
    unreadable: list[int]
    last: UUID | None


def find_batch(tx: Transaction, after: UUID | None, limit: int) -> AuditBatch:
    """The next complaints by id."""
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
    """Those of which what is stored makes sense; all at once, and only where that fails each alone."""
    try:
        found = find_complaints(tx, complaint.c.id.in_(ids)) if ids else []
    except (ValueError, TypeError, LookupError):
        if len(ids) == 1:
            return {}
        return {key: one for i in ids for key, one in _load_readable(tx, [i]).items()}
    return {one.complaint.id: one for one in found}


def find_events(tx: Transaction, batch: Sequence[ComplaintRow]) -> Sequence[EventRow]:
    """The events of complaints, by complaint and order."""
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
    """The escalations of complaints, by complaint."""
    columns = [escalation.c[name] for name in EscalationRow._fields]
    statement = select(*columns).where(escalation.c.complaint_id.in_(complaint_ids))
    rows = tx.connection.execute(statement.order_by(escalation.c.complaint_id, escalation.c.planned_at))
    return [EscalationRow(*row) for row in rows]


def count_cut_off(tx: Transaction) -> int:
    """How many complaints began before the first month that the history still has."""
    cut_off = complaint.c.events_after < months.horizon(tx)
    return tx.connection.execute(select(func.count()).select_from(complaint).where(cut_off)).scalar_one()


def count_complaints(tx: Transaction) -> int:
    """How many complaints there are."""
    return tx.connection.execute(select(func.count()).select_from(complaint)).scalar_one()
