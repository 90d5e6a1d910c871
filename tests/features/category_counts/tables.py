"""The tables of the annex. They have no key against a second entry, so a test sees an event that is handled twice."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Column, Integer, String, Table, Uuid, delete, insert, select, update

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import Serial, new_metadata

metadata = new_metadata()
category_count = Table(
    "category_count",
    metadata,
    Column("category", String(100), primary_key=True),
    Column("complaints", Integer, nullable=False),
)
counted_event = Table(
    "counted_event",
    metadata,
    Column("place", Serial, primary_key=True, autoincrement=True),
    Column("event_id", Uuid, nullable=False),
    sqlite_autoincrement=True,
)


def add_counts(tx: Transaction, counts: Mapping[str, int]) -> None:
    """Add to the counts by category."""
    c = category_count.c
    for category, count in counts.items():
        raised = update(category_count).where(c.category == category).values(complaints=c.complaints + count)
        if tx.connection.execute(raised).rowcount == 0:
            tx.connection.execute(insert(category_count).values(category=category, complaints=count))


def add_events(tx: Transaction, event_ids: Sequence[UUID]) -> None:
    """Note that these events were counted, in this order."""
    for event_id in event_ids:
        tx.connection.execute(insert(counted_event).values(event_id=event_id))


def find_counts(tx: Transaction) -> dict[str, int]:
    """The counts by category."""
    statement = select(category_count.c.category, category_count.c.complaints)
    return {row.category: row.complaints for row in tx.connection.execute(statement)}


def find_events(tx: Transaction) -> Sequence[UUID]:
    """The counted events in the order in which they were counted."""
    return (
        tx.connection.execute(select(counted_event.c.event_id).order_by(counted_event.c.place))
        .scalars()
        .all()
    )


def delete_counts(tx: Transaction) -> None:
    """Forget the counts."""
    tx.connection.execute(delete(category_count))
