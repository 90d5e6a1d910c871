"""The data of events as callers see it: persons and internal texts masked, complaints outside their scope left out."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from complaints.domain.complaint.masks import mask_service_id
from complaints.domain.complaint.texts import ERASED
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.domain.vocabulary import EventType
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.views import MASK, mask_values

EventData = dict[str, Any]
_PUBLIC = "public"
_OF_STAFF: dict[str, str] = {EventType.NOTE_ADDED: "text", EventType.ATTACHMENT_ADDED: "file_name"}
"""The events that may be for staff alone, and the text of each."""
_ID_LENGTH = 36


def show_data(
    tx: Transaction, caller: Caller, events: Sequence[tuple[str, EventData]], *, internal: bool
) -> list[EventData]:
    """The data of each event as the caller sees it, in the given order.

    Internal notes, names of internal attachments, and attributes are for staff: without `internal` the caller sees a
    mask. The id of a service has a mask for who may not see the persons of every complaint in scope (rule 9.1). An id
    of a complaint outside the scope of the caller becomes None.
    """
    persons = caller.has_right_everywhere(Right.SEE_PERSONS)
    shown = [mask_data(event_type, data, internal=internal, persons=persons) for event_type, data in events]
    if caller.scope == ALL_COMPLAINTS:
        return shown
    hidden = load.find_outside(tx, find_ids(shown), scope=caller.scope)
    texts = {str(complaint_id) for complaint_id in hidden}
    return [without_ids(data, texts) for data in shown] if texts else shown


def mask_data(event_type: str, data: EventData, *, internal: bool, persons: bool) -> EventData:
    """The data of an event with masks for internal texts, unless `internal`, and for services, unless `persons`."""
    shown = data if internal else _mask_internal(event_type, data)
    return shown if persons else _mask_service(shown)


def find_ids(shown: Sequence[EventData]) -> set[UUID]:
    """All ids in the data of events."""
    return {found for data in shown for found in _ids_in(data)}


def _mask_internal(event_type: str, data: EventData) -> EventData:
    shown = dict(data)
    if (text := _OF_STAFF.get(event_type)) and shown.get("visibility") != _PUBLIC:
        shown[text] = MASK
    if shown.get("note") is not None:
        shown["note"] = MASK
    changes = shown.get("changes")
    if isinstance(changes, Mapping) and isinstance(attributes := changes.get("attributes"), Mapping):
        shown["changes"] = {**changes, "attributes": mask_values(attributes)}
    return shown


def _mask_service(data: EventData) -> EventData:
    changes = data.get("changes")
    if not isinstance(changes, Mapping) or changes.get("service_id") in (None, MASK, ERASED):
        return data
    return {**data, "changes": {**changes, "service_id": mask_service_id(changes["service_id"])}}


def _ids_in(value: object) -> Iterator[UUID]:
    """All texts in `value` that are ids."""
    if isinstance(value, str) and len(value) == _ID_LENGTH:
        try:
            yield UUID(value)
        except ValueError:
            return
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _ids_in(member)
    elif isinstance(value, list):
        for item in value:
            yield from _ids_in(item)


def without_ids(value: Any, texts: Collection[str]) -> Any:
    """`value` with None in place of each of `texts`."""
    if isinstance(value, dict):
        return {name: without_ids(member, texts) for name, member in value.items()}
    if isinstance(value, list):
        return [without_ids(item, texts) for item in value]
    return None if isinstance(value, str) and value in texts else value
