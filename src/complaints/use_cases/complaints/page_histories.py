"""The events of all complaints of a page, as the caller sees them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from complaints.domain.vocabulary import EventType
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.page_histories import find_events_of
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.history import EventRecord, event_of_columns
from complaints.use_cases.complaints.shown_events import mask_data
from complaints.use_cases.complaints.views import ComplaintParts


@dataclass(frozen=True, slots=True)
class _ScopedMembers:
    source: str
    team: str
    assignee: str | None
    first_owner: str


def has_right_on_parts(caller: Caller, right: Right, parts: ComplaintParts) -> bool:
    """True if the caller has `right` on the complaint that `parts` show."""
    if caller.has_right_everywhere(right):
        return True
    return caller.has_right_on(right, _scoped(parts.members))


def _scoped(members: Mapping[str, Any]) -> _ScopedMembers:
    return _ScopedMembers(members["source"], members["team"], members["assignee"], members["first_owner"])


def find_histories(
    tx: Transaction, caller: Caller, found: Sequence[ComplaintParts], types: frozenset[EventType]
) -> dict[UUID, list[EventRecord]]:
    """The events of these types of complaints that the caller may know of, by complaint, oldest first.

    One statement reads them all. Internal texts have masks where the caller may not see them.
    """
    internal = {parts.members["id"]: has_right_on_parts(caller, Right.SEE_INTERNAL, parts) for parts in found}
    persons = caller.has_right_everywhere(Right.SEE_PERSONS)
    histories: dict[UUID, list[EventRecord]] = defaultdict(list)
    for row in find_events_of(tx, internal.keys(), types):
        record = event_of_columns(row)
        owner_id = record.complaint_id
        assert owner_id is not None  # the events are those of complaints
        if not (persons and internal[owner_id]):
            shown = mask_data(record.type, record.data, internal=internal[owner_id], persons=persons)
            record = replace(record, data=shown)
        histories[owner_id].append(record)
    return histories
