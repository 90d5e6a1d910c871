"""Claims complaints whose wake time has come, by the partial index on `wake_at`."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, func, literal, select, tuple_, update

from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime
from complaints.storage.load import find_complaints, load_parts
from complaints.storage.rows.complaint import ComplaintRecord, complaint, find_rows

c = complaint.c


class DuePosition(NamedTuple):
    """The position of a complaint in the order of wake times."""

    wake_at: datetime
    id: UUID


_ASLEEP = (c.wake_at.is_not(None), c.parked_at.is_(None))


def is_any_due(tx: Transaction) -> bool:
    """True if the wake time of a complaint has come."""
    return seconds_to_next_wake(tx) <= 0


def seconds_to_next_wake(tx: Transaction) -> float:
    """Seconds until the next complaint is due, 0 or less if one is due now, infinity if none will be.

    It costs one look at an index.
    """
    statement = select(c.wake_at).where(*_ASLEEP).order_by(c.wake_at).limit(1)
    wake_at = tx.connection.execute(statement).scalar()
    return float("inf") if wake_at is None else (wake_at - tx.now).total_seconds()


def claim_due(tx: Transaction, *, limit: int) -> list[ComplaintRecord]:
    """Lock up to `limit` complaints that are due now, the most overdue first.

    Complaints that another process has locked are passed over.
    """
    return load_claimed(tx, _lock_due(tx, limit))


def claim_next(tx: Transaction, *, after: DuePosition | None) -> DuePosition | None:
    """Lock the next due complaint after a position, without reading it. Returns its position, or None."""
    due = select(c.wake_at, c.id).where(*_ASLEEP, c.wake_at <= tx.now)
    if after is not None:
        place = tuple_(literal(after.wake_at, UtcDateTime), literal(after.id, Uuid))
        due = due.where(tuple_(c.wake_at, c.id) > place)
    due = due.order_by(c.wake_at, c.id).limit(1).with_for_update(skip_locked=True, key_share=True)
    row = tx.connection.execute(due).first()
    return DuePosition(*row) if row else None


def _lock_due(tx: Transaction, limit: int) -> list[UUID]:
    due = (
        select(c.id)
        .where(*_ASLEEP, c.wake_at <= tx.now)
        .order_by(c.wake_at, c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return list(tx.connection.execute(due).scalars())


def load_claimed(tx: Transaction, ids: Sequence[UUID]) -> list[ComplaintRecord]:
    """Complaints that this transaction has locked, in the given order."""
    rows = {row.id: row for row in find_rows(tx, any_of(c.id, ids))} if ids else {}
    return load_parts(tx, [rows[i] for i in ids])


def slice_end(tx: Transaction, target: datetime, *, size: int) -> datetime | None:
    """The instant up to which about `size` complaints fall due, at most `target`; None if none falls due."""
    due = select(c.wake_at).where(*_ASLEEP, c.wake_at <= target).order_by(c.wake_at).limit(size).subquery()
    end: datetime | None = tx.connection.execute(select(func.max(due.c.wake_at))).scalar_one()
    return end


def claim_until(tx: Transaction, end: datetime) -> list[ComplaintRecord]:
    """Lock every complaint that falls due up to `end`."""
    return find_complaints(tx, *_ASLEEP, c.wake_at <= end, lock=True)


def park(tx: Transaction, complaint_ids: Sequence[UUID]) -> None:
    """Set complaints aside that cannot be caught up. `complaints check` lists them."""
    if complaint_ids:
        tx.connection.execute(update(complaint).where(c.id.in_(complaint_ids)).values(parked_at=tx.now))


def unpark(tx: Transaction, before: datetime, limit: int) -> int:
    """Try up to `limit` complaints again that were set aside before an instant, and return how many they are.

    Complaints that another transaction has locked are left.
    """
    parked = (
        select(c.id).where(c.parked_at.is_not(None), c.parked_at < before).order_by(c.parked_at).limit(limit)
    )
    ids = list(tx.connection.execute(parked.with_for_update(skip_locked=True, key_share=True)).scalars())
    if ids:
        tx.connection.execute(update(complaint).where(any_of(c.id, ids)).values(parked_at=None))
    return len(ids)


def count_parked(tx: Transaction) -> int:
    """The number of complaints that are set aside."""
    return tx.connection.execute(select(func.count()).where(c.parked_at.is_not(None))).scalar_one()
