"""The followers of the history: a row per follower says which events it has handled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, String, Table, delete, select, update

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata
from complaints.storage.database.upsert import insert_if_absent

follower = Table(
    "follower",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("after", BigInteger, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint("after >= 0", name="after"),
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of a follower in the history. `after` is the number of the last event that it handled."""

    name: str
    after: int
    updated_at: datetime


def find_after(tx: Transaction, name: str) -> int | None:
    """The number of the last event that a follower handled. None: the follower has no row yet."""
    return tx.connection.execute(select(follower.c.after).where(follower.c.name == name)).scalar_one_or_none()


def claim_after(tx: Transaction, name: str) -> int | None:
    """As `find_after`, and lock the row until the transaction ends.

    None also if another transaction holds the row: then another process is at work for this follower.
    """
    statement = select(follower.c.after).where(follower.c.name == name).with_for_update(skip_locked=True)
    return tx.connection.execute(statement).scalar_one_or_none()


def lock_after(tx: Transaction, name: str) -> int:
    """As `find_after` for a follower that has a row, and lock the row. It waits for another transaction."""
    statement = select(follower.c.after).where(follower.c.name == name).with_for_update()
    after: int = tx.connection.execute(statement).scalar_one()
    return after


def insert_follower(tx: Transaction, name: str, *, after: int) -> None:
    """Make the row of a follower. Does nothing if the row exists, also if another process has just made it."""
    insert_if_absent(tx, follower, {"name": name, "after": after, "updated_at": tx.now})


def move_follower(tx: Transaction, name: str, *, after: int) -> None:
    """Note that a follower has handled the events up to number `after`."""
    values = {"after": after, "updated_at": tx.now}
    tx.connection.execute(update(follower).where(follower.c.name == name).values(values))


def remove_follower(tx: Transaction, name: str) -> None:
    """Forget a follower that has nothing more to do."""
    tx.connection.execute(delete(follower).where(follower.c.name == name))


def find_cursors(tx: Transaction, *, below: int | None = None) -> Sequence[Cursor]:
    """The cursors of all followers by name, or only the cursors below the event number `below`."""
    f = follower.c
    statement = select(f.name, f.after, f.updated_at).order_by(f.name)
    if below is not None:
        statement = statement.where(f.after < below)
    return [Cursor(*row) for row in tx.connection.execute(statement)]
