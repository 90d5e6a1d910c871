"""Counts of failed sign-ins, shared by all processes. A key is a digest: a login may be a password, misplaced."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Column, Index, Integer, String, Table, delete, select

from complaints.domain.rules.passwords import FailureCount
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata
from complaints.storage.database.upsert import insert_or_update

failed_sign_in = Table(
    "failed_sign_in",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("failed_at", UtcDateTime, nullable=False),
    Index("ix_failed_sign_in__failed_at", "failed_at"),
)
f = failed_sign_in.c


def find_failures(tx: Transaction, keys: Collection[str], *, lock: bool = False) -> dict[str, FailureCount]:
    """The counts by key. With `lock`, other transactions wait until this one ends."""
    statement = select(f.key, f.count, f.failed_at).where(f.key.in_(keys)).order_by(f.key)
    rows = tx.connection.execute(statement.with_for_update() if lock else statement)
    return {key: FailureCount(count, failed_at) for key, count, failed_at in rows}


def write_failures(tx: Transaction, key: str, failures: FailureCount) -> None:
    """Write a count."""
    insert_or_update(
        tx, failed_sign_in, {"key": key, "count": failures.count, "failed_at": failures.failed_at}
    )


def forget_failures(tx: Transaction, keys: Collection[str]) -> None:
    """Delete the counts with these keys."""
    tx.connection.execute(delete(failed_sign_in).where(f.key.in_(keys)))


def forget_old_failures(tx: Transaction, before: datetime) -> None:
    """Delete the counts whose last failure was before `before`."""
    tx.connection.execute(delete(failed_sign_in).where(f.failed_at < before))
