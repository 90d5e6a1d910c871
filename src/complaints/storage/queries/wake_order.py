"""The order of wake times in a table of complaints or of other subjects, by its partial index on `wake_at`."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Table, Uuid, func, literal, select, tuple_, update

from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime


class DuePosition(NamedTuple):
    """The position of a complaint or other subject in the order of wake times."""

    wake_at: datetime
    id: UUID


def is_asleep(table: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The conditions that a row will wake at some time."""
    return table.c.wake_at.is_not(None), table.c.parked_at.is_(None)


def first_wake(table: Table) -> ScalarSelect[datetime]:
    """The first wake time of a table, passed or not, as a part of a query. It costs one look at an index."""
    first = select(table.c.wake_at).where(*is_asleep(table)).order_by(table.c.wake_at).limit(1)
    return first.scalar_subquery()


def lock_due(tx: Transaction, table: Table, limit: int) -> list[UUID]:
    """Lock up to `limit` rows that are due now, the most overdue first. Returns their ids.

    Rows that another process has locked are passed over.
    """
    c = table.c
    due = (
        select(c.id)
        .where(*is_asleep(table), c.wake_at <= tx.now)
        .order_by(c.wake_at, c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return list(tx.connection.execute(due).scalars())


def lock_next(tx: Transaction, table: Table, after: DuePosition | None) -> DuePosition | None:
    """Lock the next due row after a position. Returns its position, or None."""
    c = table.c
    due = select(c.wake_at, c.id).where(*is_asleep(table), c.wake_at <= tx.now)
    if after is not None:
        place = tuple_(literal(after.wake_at, UtcDateTime), literal(after.id, Uuid))
        due = due.where(tuple_(c.wake_at, c.id) > place)
    due = due.order_by(c.wake_at, c.id).limit(1).with_for_update(skip_locked=True, key_share=True)
    row = tx.connection.execute(due).first()
    return DuePosition(*row) if row else None


def find_wakes(tx: Transaction, table: Table, target: datetime, *, limit: int) -> Sequence[datetime]:
    """The first `limit` wake times up to `target`, in order."""
    due = select(table.c.wake_at).where(*is_asleep(table), table.c.wake_at <= target)
    return tx.connection.execute(due.order_by(table.c.wake_at).limit(limit)).scalars().all()


def park(tx: Transaction, table: Table, ids: Sequence[UUID]) -> None:
    """Set rows aside that cannot be caught up. `complaints check` lists them."""
    if ids:
        tx.connection.execute(update(table).where(table.c.id.in_(ids)).values(parked_at=tx.now))


def unpark(tx: Transaction, table: Table, before: datetime, limit: int) -> int:
    """Try up to `limit` rows again that were set aside before an instant, and return how many they are.

    Rows that another transaction has locked are left.
    """
    c = table.c
    parked = (
        select(c.id).where(c.parked_at.is_not(None), c.parked_at < before).order_by(c.parked_at).limit(limit)
    )
    ids = list(tx.connection.execute(parked.with_for_update(skip_locked=True, key_share=True)).scalars())
    if ids:
        tx.connection.execute(update(table).where(any_of(c.id, ids)).values(parked_at=None))
    return len(ids)


def count_parked(tx: Transaction, table: Table) -> int:
    """The number of rows that are set aside."""
    return tx.connection.execute(select(func.count()).where(table.c.parked_at.is_not(None))).scalar_one()
