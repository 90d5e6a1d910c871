"""The progress of indexing old complaints again, after a migration changed what is indexed.

A row is there only while there is work. The program before may still write for a while after a migration. So new
complaints are followed until `ends_at`, which is set when the last old complaint is done.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, String, Table, select, update

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata

reindexing = Table(
    "reindexing",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("after", BigInteger, nullable=False),
    Column("ends_at", UtcDateTime),
)
r = reindexing.c
_NAME = "persons"


@dataclass(frozen=True, slots=True)
class Progress:
    """The sequence of the last complaint that is done. `ends_at`: no complaint after this instant needs it."""

    after: int
    ends_at: datetime | None


def find_progress(tx: Transaction, *, lock: bool = False) -> Progress | None:
    """The progress; None if there is nothing to do, or with `lock` if another process is at work."""
    statement = select(r.after, r.ends_at).where(r.name == _NAME)
    if lock:
        statement = statement.with_for_update(skip_locked=True)
    row = tx.connection.execute(statement).first()
    return Progress(*row) if row else None


def note_progress(tx: Transaction, progress: Progress) -> None:
    """Write the progress."""
    values = {"after": progress.after, "ends_at": progress.ends_at}
    tx.connection.execute(update(reindexing).where(r.name == _NAME).values(values))


def end(tx: Transaction) -> None:
    """Note that nothing is left to do."""
    tx.connection.execute(reindexing.delete().where(r.name == _NAME))
