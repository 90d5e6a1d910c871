"""The notes that a caller wrote on a complaint, so that a program that repeats itself doubles none."""

from uuid import UUID

from complaints.domain.vocabulary import EventType
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.page_histories import find_events_of
from complaints.use_cases.access import Caller
from complaints.use_cases.complaints.history import event_of_columns


def find_own_note_texts(tx: Transaction, caller: Caller, complaint_id: UUID) -> set[str]:
    """The texts of the notes that this caller wrote, also of those that it may not read again."""
    rows = find_events_of(tx, [complaint_id], frozenset({EventType.NOTE_ADDED}))
    records = map(event_of_columns, rows)
    return {record.data["text"] for record in records if record.actor == caller.actor}
