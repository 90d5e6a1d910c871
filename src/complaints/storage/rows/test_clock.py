"""The test clock of a sandbox database: one row that every node reads, and that only moves when told."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Connection, Integer, Table, insert, select, text, update

from complaints.storage.database.types import UtcDateTime, metadata

sandbox_clock = Table(
    "sandbox_clock",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("now", UtcDateTime, nullable=False),
    CheckConstraint("id = 1", name="single"),
)


def find_sandbox_now(connection: Connection) -> datetime | None:
    """The test clock's instant; None where the database is not a sandbox."""
    return connection.execute(select(sandbox_clock.c.now)).scalar_one_or_none()


def start_sandbox(connection: Connection, now: datetime) -> None:
    """Make this database a sandbox, its clock standing at `now`."""
    connection.execute(insert(sandbox_clock).values(id=1, now=now))


def lock_sandbox(connection: Connection) -> datetime:
    """The test clock's instant, kept from being moved by others until this transaction ends.

    On PostgreSQL complaints too are kept from being changed by others: the move is going to lock them one
    after the other, while it already holds what whoever has one of them waits for.
    """
    now: datetime = connection.execute(select(sandbox_clock.c.now).with_for_update()).scalar_one()
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE complaint IN EXCLUSIVE MODE"))
    return now


def set_sandbox_now(connection: Connection, now: datetime) -> None:
    """Move the test clock."""
    connection.execute(update(sandbox_clock).values(now=now))
