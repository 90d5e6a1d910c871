"""Claims complaints whose wake time has come, and says when the next complaint or other subject is due."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.load import find_complaints, load_parts
from complaints.storage.queries import wake_order
from complaints.storage.queries.wake_order import DuePosition as DuePosition
from complaints.storage.rows.complaint import ComplaintRecord, complaint, find_rows
from complaints.storage.rows.subject import subject

c = complaint.c
_TABLES = (complaint, subject)
_FIRST_WAKES = select(
    *(wake_order.first_wake(table) for table in _TABLES)
)  # made once: it is asked every second


def seconds_to_next_wake(tx: Transaction) -> float:
    """Seconds until the next complaint or other subject is due, 0 or less if one is due now, infinity if none will be.

    It costs a look at an index of each table.
    """
    wakes = [at for at in tx.connection.execute(_FIRST_WAKES).one() if at is not None]
    return (min(wakes) - tx.now).total_seconds() if wakes else float("inf")


def claim_due(tx: Transaction, *, limit: int) -> list[ComplaintRecord]:
    """Lock up to `limit` complaints that are due now, the most overdue first.

    Complaints that another process has locked are passed over.
    """
    return load_claimed(tx, wake_order.lock_due(tx, complaint, limit))


def claim_next(tx: Transaction, *, after: DuePosition | None) -> DuePosition | None:
    """Lock the next due complaint after a position, without reading it. Returns its position, or None."""
    return wake_order.lock_next(tx, complaint, after)


def load_claimed(tx: Transaction, ids: Sequence[UUID]) -> list[ComplaintRecord]:
    """Complaints that this transaction has locked, in the given order."""
    rows = {row.id: row for row in find_rows(tx, any_of(c.id, ids))} if ids else {}
    return load_parts(tx, [rows[i] for i in ids])


def slice_end(tx: Transaction, target: datetime, *, size: int) -> datetime | None:
    """The instant up to which about `size` complaints and other subjects fall due, at most `target`.

    None if none falls due.
    """
    wakes = sorted(at for table in _TABLES for at in wake_order.find_wakes(tx, table, target, limit=size))
    return wakes[:size][-1] if wakes else None


def claim_until(tx: Transaction, end: datetime) -> list[ComplaintRecord]:
    """Lock every complaint that falls due up to `end`."""
    return find_complaints(tx, *wake_order.is_asleep(complaint), c.wake_at <= end, lock=True)


def park(tx: Transaction, ids: Sequence[UUID]) -> None:
    """Set complaints aside that cannot be caught up. `complaints check` lists them."""
    wake_order.park(tx, complaint, ids)


def unpark(tx: Transaction, before: datetime, limit: int) -> int:
    """Try up to `limit` complaints, and as many other subjects, again that were set aside before an instant.

    Returns how many of the one or the other there are, whichever is more: with `limit`, more may be left.
    """
    return max(wake_order.unpark(tx, table, before, limit) for table in _TABLES)


def count_parked(tx: Transaction) -> int:
    """The number of complaints and other subjects that are set aside."""
    return sum(wake_order.count_parked(tx, table) for table in _TABLES)
