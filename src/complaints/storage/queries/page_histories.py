"""Events of many complaints in one statement, for pages that show a part of each history."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from complaints.domain.vocabulary import EventType
from complaints.storage.database.any_of import any_of
from complaints.storage.database.plain_rows import rows_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.event import event
from complaints.storage.rows.event_text import event_text

_c, _e = complaint.c, event.c
_OF_SAME_EVENT = (event_text.c.complaint_id == _e.complaint_id) & (event_text.c.ordinal == _e.ordinal)
EVENT_COLUMNS = (
    "id", "sequence", "ordinal", "complaint_id", "subject_id", "type", "version", "at", "actor", "data",
)  # fmt: skip
"""The columns of an event in a row of `find_events_of`. The last column has its texts."""


def find_events_of(
    tx: Transaction, complaint_ids: Collection[UUID], types: frozenset[EventType]
) -> Sequence[Sequence[Any]]:
    """All events of these types of the complaints with these ids, with their texts, oldest first for each complaint.

    PostgreSQL looks at no month before the first event of the oldest complaint. Events in detached months are left
    out.
    """
    return rows_of(tx, _select_events(types), complaint_ids)


@lru_cache(maxsize=8)
def _select_events(types: frozenset[EventType]) -> Select[Any]:
    first = select(func.min(_c.events_after)).where(any_of(_c.id)).scalar_subquery()
    return (
        select(*(_e[name] for name in EVENT_COLUMNS), event_text.c.texts)
        .outerjoin(event_text, _OF_SAME_EVENT)
        .where(any_of(_e.complaint_id), _e.sequence > first, _e.type.in_(sorted(types)))
        .order_by(_e.complaint_id, _e.ordinal)
    )
