"""The events of TMF621 for the events of the history. Pure."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from complaints.domain.vocabulary import EventType, HoldReason


class TicketEvent(StrEnum):
    """The events of a trouble ticket, as TMF621 names them."""

    CREATE = "TroubleTicketCreateEvent"
    ATTRIBUTE_VALUE_CHANGE = "TroubleTicketAttributeValueChangeEvent"
    STATUS_CHANGE = "TroubleTicketStatusChangeEvent"
    DELETE = "TroubleTicketDeleteEvent"
    RESOLVED = "TroubleTicketResolvedEvent"
    INFORMATION_REQUIRED = "TroubleTicketInformationRequiredEvent"


# Each begins a history: a complaint that an import brings with its end begins with it.
_CREATIONS = frozenset({EventType.CREATED, EventType.IMPORTED_ENDED})
# Each changes the status of the ticket. A response does so only as the first one.
_STATUS_CHANGES = frozenset(
    {
        EventType.RESPONDED,
        EventType.HELD,
        EventType.RESUMED,
        EventType.RESOLVED,
        EventType.REOPENED,
        EventType.CLOSED,
        EventType.REJECTED,
        EventType.WITHDRAWN,
        EventType.MERGED,
        EventType.UNMERGED,
    }
)
# Each changes something else that a ticket shows. The status stays `resolved` when the result is told.
_OTHER_CHANGES = frozenset(
    {
        EventType.UPDATED,
        EventType.RESULT_NOTIFIED,
        EventType.CONTACT_REPEATED,
        EventType.NOTE_ADDED,
        EventType.ATTACHMENT_ADDED,
        EventType.LINKED,
        EventType.UNLINKED,
        EventType.REPLANNED,
        EventType.EXTERNAL_ID_MOVED,
        EventType.ERASED,
    }
)
_HISTORY_TYPES: Mapping[TicketEvent, frozenset[EventType]] = {
    TicketEvent.CREATE: _CREATIONS,
    TicketEvent.ATTRIBUTE_VALUE_CHANGE: _OTHER_CHANGES,
    TicketEvent.STATUS_CHANGE: _STATUS_CHANGES,
    TicketEvent.DELETE: frozenset({EventType.WITHDRAWN}),
    TicketEvent.RESOLVED: frozenset({EventType.RESOLVED}),
    TicketEvent.INFORMATION_REQUIRED: frozenset({EventType.HELD}),
}


def history_types(wanted: Collection[TicketEvent]) -> tuple[str, ...]:
    """The types of events of the history that can give one of these events, in the order of their names."""
    return tuple(sorted({str(one) for event in wanted for one in _HISTORY_TYPES[event]}))


def events_of(kind: str, data: Mapping[str, Any], *, is_deleted: bool = False) -> tuple[TicketEvent, ...]:
    """The events of TMF621 for an event of the history with this type and data, in the order to send them.

    `is_deleted`: its ticket was deleted. There is none for what a ticket does not show, such as a deadline.
    """
    if kind in _CREATIONS:
        return (TicketEvent.CREATE,)
    if kind == EventType.WITHDRAWN and is_deleted:
        return (TicketEvent.DELETE,)
    if kind in _OTHER_CHANGES:
        return (TicketEvent.ATTRIBUTE_VALUE_CHANGE,)
    if kind not in _STATUS_CHANGES or "status" not in data.get("changes", {}):
        return ()
    if kind == EventType.RESOLVED:
        return (TicketEvent.STATUS_CHANGE, TicketEvent.RESOLVED)
    if kind == EventType.HELD and data.get("reason") == HoldReason.AWAITING_COMPLAINANT:
        return (TicketEvent.STATUS_CHANGE, TicketEvent.INFORMATION_REQUIRED)
    return (TicketEvent.STATUS_CHANGE,)
