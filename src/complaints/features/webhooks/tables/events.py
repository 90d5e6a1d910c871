"""Events, and the facts by which subscriptions choose them, from the tables of the core."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import RowMapping, select

from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.event import event
from complaints.storage.rows.subject import subject


def find_complaint_facts(tx: Transaction, ids: Collection[UUID]) -> Mapping[UUID, RowMapping]:
    """The source, team, category and priority of complaints now, by id."""
    c = complaint.c
    statement = select(c.id, c.source, c.team, c.category, c.priority).where(any_of(c.id, ids))
    return {row["id"]: row for row in tx.connection.execute(statement).mappings()}


def find_subject_teams(tx: Transaction, ids: Collection[UUID]) -> Mapping[UUID, str]:
    """The teams of other subjects now, by id."""
    statement = select(subject.c.id, subject.c.team).where(any_of(subject.c.id, ids))
    return {row.id: row.team for row in tx.connection.execute(statement)}


def find_events(tx: Transaction, *, after: int, up_to: int) -> Sequence[RowMapping]:
    """The events with numbers above `after` up to `up_to`, in commit order."""
    e = event.c
    statement = (
        select(e.sequence, e.id, e.complaint_id, e.subject_id, e.type, e.actor)
        .where(e.sequence > after, e.sequence <= up_to)
        .order_by(e.sequence)
    )
    return tx.connection.execute(statement).mappings().all()
