"""The test clock of a sandbox: one row that every process reads. It moves only when a caller moves it."""

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


_NOW = select(sandbox_clock.c.now)


def find_sandbox_now(connection: Connection) -> datetime | None:
    """The instant of the test clock; None if the database is no sandbox."""
    return connection.execute(_NOW).scalar_one_or_none()


def start_sandbox(connection: Connection, now: datetime) -> None:
    """Make this database a sandbox whose clock stands at `now`."""
    connection.execute(insert(sandbox_clock).values(id=1, now=now))


def lock_sandbox(connection: Connection) -> datetime:
    """The instant of the test clock, locked against other moves until this transaction ends.

    On PostgreSQL the complaints and other subjects are locked too. The move will lock them one by one while it holds
    this row, and a caller who holds a complaint may wait for the row: both would wait for ever.
    """
    now: datetime = connection.execute(_NOW.with_for_update()).scalar_one()
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE complaint, subject IN EXCLUSIVE MODE"))
    return now


def set_sandbox_now(connection: Connection, now: datetime) -> None:
    """Set the test clock."""
    connection.execute(update(sandbox_clock).values(now=now))
