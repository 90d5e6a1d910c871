"""The history of one complaint, the notes that users add to it, and the feed of all changes.

Events hold no personal data of the customers; it stands in its own table.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from complaints.domain.vocabulary import EventType
from complaints.storage import load, months
from complaints.storage.database.transactions import Transaction
from complaints.storage.load import HistoryExtent
from complaints.storage.rows import event
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.complaints import AddNote
from complaints.use_cases.complaints import notes_and_links
from complaints.use_cases.complaints.shown_events import show_data
from complaints.use_cases.service import Service

_FEW_MONTHS = 2


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as stored. `sequence` numbers all events in commit order, `ordinal` those of one complaint."""

    id: UUID
    sequence: int
    ordinal: int
    complaint_id: UUID
    type: EventType
    version: int
    at: datetime
    actor: str
    data: dict[str, Any]


_members = itemgetter(*(name for name in EventRecord.__dataclass_fields__ if name != "data"))


def event_record_of(row: Mapping[Any, Any]) -> EventRecord:
    """The event of a row."""
    return EventRecord(*(*_members(row), json.loads(row["data"])))


def timeline(
    tx: Transaction, caller: Caller, reference: str, *, after: int, limit: int
) -> Sequence[EventRecord]:
    """The events of a complaint after ordinal `after`, oldest first. Raises NotFound.

    Events in detached months are left out. The ordinal of the first event then shows how many are missing.
    """
    extent = load.load_history_extent(tx, reference, scope=caller.scope)
    rows = _rows(tx, extent, after=after, limit=limit)
    return _shown(tx, caller, rows)


def _shown(tx: Transaction, caller: Caller, rows: Sequence[Mapping[Any, Any]]) -> list[EventRecord]:
    """The events as the caller sees them."""
    records = [event_record_of(row) for row in rows]
    shown = show_data(tx, caller, [(record.type, record.data) for record in records])
    return [replace(record, data=data) for record, data in zip(records, shown, strict=True)]


def _rows(tx: Transaction, extent: HistoryExtent, *, after: int, limit: int) -> Sequence[Mapping[Any, Any]]:
    """Look in the months in which most complaints end, and in later months only if events are missing.

    Ordinals have no gaps, so the number of missing events is known.
    """
    complaint_id, end = extent.complaint_id, months.end_of_month(extent.events_after, _FEW_MONTHS)
    rows = event.list_events(
        tx, complaint_id, after=after, limit=limit, from_number=extent.events_after, below_number=end
    )
    missing = min(limit, extent.events - after) - len(rows)
    if missing <= 0:
        return rows
    seen = rows[-1]["ordinal"] if rows else after
    return [*rows, *event.list_events(tx, complaint_id, after=seen, limit=missing, from_number=end)]


def add_note(
    service: Service, tx: Transaction, caller: Caller, reference: str, command: AddNote
) -> EventRecord:
    """Add a note to the history. Returns its event. Raises NotFound."""
    complaint = notes_and_links.add_note(service, tx, caller, reference, command)
    tx.finish()  # writes and numbers the event
    row = event.find_last_event(tx, complaint.id, EventType.NOTE_ADDED)
    assert row is not None  # `finish` wrote it
    return event_record_of(row)


def changes(tx: Transaction, caller: Caller, *, after: int, limit: int) -> tuple[Sequence[EventRecord], int]:
    """Up to `limit` events after number `after` within the scope of the caller, and the number to continue from.

    All events up to the last number of this snapshot are committed (`storage.rows.event`). So the reader may
    continue from there, even if none of these events were within its scope.
    """
    rows = event.list_changes(tx, after=after, limit=limit, scope=caller.scope)
    seen = rows[-1]["sequence"] if len(rows) == limit else event.find_last_number(tx, after=after)
    return _shown(tx, caller, rows), seen
