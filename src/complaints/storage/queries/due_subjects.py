"""Claims subjects that are no complaints when their wake time has come, as `due_complaints` claims complaints."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import wake_order
from complaints.storage.queries.wake_order import DuePosition
from complaints.storage.rows.subject import SubjectRecord, find_rows, subject
from complaints.storage.subjects import find_subjects, load_parts


def claim_due(tx: Transaction, *, limit: int) -> list[SubjectRecord]:
    """Lock up to `limit` subjects that are due now, the most overdue first."""
    return load_claimed(tx, wake_order.lock_due(tx, subject, limit))


def claim_next(tx: Transaction, *, after: DuePosition | None) -> DuePosition | None:
    """Lock the next due subject after a position, without reading it. Returns its position, or None."""
    return wake_order.lock_next(tx, subject, after)


def load_claimed(tx: Transaction, ids: Sequence[UUID]) -> list[SubjectRecord]:
    """Subjects that this transaction has locked, in the given order."""
    rows = {row.id: row for row in find_rows(tx, any_of(subject.c.id, ids))} if ids else {}
    return load_parts(tx, [rows[i] for i in ids])


def claim_until(tx: Transaction, end: datetime) -> list[SubjectRecord]:
    """Lock every subject that falls due up to `end`."""
    return find_subjects(tx, *wake_order.is_asleep(subject), subject.c.wake_at <= end, lock=True)


def park(tx: Transaction, ids: Sequence[UUID]) -> None:
    """Set subjects aside that cannot be caught up. `complaints check` lists them."""
    wake_order.park(tx, subject, ids)
