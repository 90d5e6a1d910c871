"""The histories from which facts of figures follow: without digests and texts, and many at a time."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, ColumnElement, func, literal_column, select

from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.event import event

e = event.c
_OF_COMPLAINTS = any_of(e.complaint_id)
_BEGAN = select(func.min(complaint.c.events_after)).where(any_of(complaint.c.id))


class CountedEvent(NamedTuple):
    """An event as stored. In `data`, digests stand for texts. `ordinal` is its place in its history, from 1."""

    ordinal: int
    type: str
    at: datetime
    actor: str
    data: dict[str, Any]


def find_histories(
    tx: Transaction, complaint_ids: Collection[UUID], *, up_to: int
) -> dict[UUID, list[CountedEvent]]:
    """The events of these complaints with numbers up to `up_to`, oldest first, by complaint."""
    after = tx.connection.execute(_BEGAN, {"ids": complaint_ids}).scalar_one() or 0
    statement = (
        select(e.complaint_id, e.ordinal, e.type, e.at, e.actor, e.data)
        .where(_OF_COMPLAINTS, e.sequence > after, _compared_later(e.sequence) <= up_to)
        .order_by(e.complaint_id, e.ordinal)
    )
    found: dict[UUID, list[CountedEvent]] = {}
    for complaint_id, ordinal, kind, at, actor, data in tx.connection.execute(
        statement, {"ids": complaint_ids}
    ).all():
        one = CountedEvent(ordinal, kind, at, actor, orjson.loads(data))
        found.setdefault(complaint_id, []).append(one)
    return found


def _compared_later(number: ColumnElement[int]) -> ColumnElement[int]:
    """The number, but no index has it: a prepared plan does not know how long a range is, and would read all of it."""
    return number + literal_column("0", BigInteger)


def find_begun(tx: Transaction, *, after: int, up_to: int) -> list[UUID]:
    """The complaints whose first event has a number above `after`, up to `up_to`."""
    statement = select(e.complaint_id).where(
        e.sequence > after, e.sequence <= up_to, e.ordinal == 1, e.complaint_id.is_not(None)
    )
    return list(tx.connection.execute(statement).scalars())


def find_changed(tx: Transaction, *, after: int, up_to: int) -> set[UUID]:
    """The complaints of the events with a number above `after`, up to `up_to`."""
    if after >= up_to:
        return set()
    statement = select(e.complaint_id).where(
        e.sequence > after, e.sequence <= up_to, e.complaint_id.is_not(None)
    )
    return set(tx.connection.execute(statement).scalars())


def count_events(tx: Transaction, *, after: int, up_to: int) -> int:
    """How many events have a number above `after`, up to `up_to`."""
    statement = select(func.count()).where(e.sequence > after, e.sequence <= up_to)
    count: int = tx.connection.execute(statement).scalar_one()
    return count
