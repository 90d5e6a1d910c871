"""Events of many complaints in one statement, for pages that show a part of each history."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, func, select

from complaints.domain.vocabulary import EventType
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.event import event
from complaints.storage.rows.event_text import event_text

_c, _e = complaint.c, event.c
_OF_SAME_EVENT = (event_text.c.complaint_id == _e.complaint_id) & (event_text.c.ordinal == _e.ordinal)
_MEMBERS = tuple(column for column in event.c if column.name != "digest")


def find_events_of(
    tx: Transaction, complaint_ids: Collection[UUID], types: frozenset[EventType]
) -> Sequence[RowMapping]:
    """All events of these types of the complaints with these ids, with their texts, oldest first for each complaint.

    PostgreSQL looks at no month before the first event of the oldest complaint. Events in detached months are left
    out.
    """
    return tx.connection.execute(_select_events(types), {"ids": complaint_ids}).mappings().all()


@lru_cache(maxsize=8)
def _select_events(types: frozenset[EventType]) -> Select[Any]:
    first = select(func.min(_c.events_after)).where(any_of(_c.id)).scalar_subquery()
    return (
        select(*_MEMBERS, event_text.c.texts)
        .outerjoin(event_text, _OF_SAME_EVENT)
        .where(any_of(_e.complaint_id), _e.sequence > first, _e.type.in_(sorted(types)))
        .order_by(_e.complaint_id, _e.ordinal)
    )
