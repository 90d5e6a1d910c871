"""The envelope of an event, in the words of each version. Pure."""

from datetime import datetime
from uuid import UUID

from complaints.tmf621.editions import Members
from complaints.tmf621.hub.ticket_events import TicketEvent

_DOMAIN = "TroubleTicket"
_TITLES = {
    TicketEvent.CREATE: "A trouble ticket was created",
    TicketEvent.ATTRIBUTE_VALUE_CHANGE: "A trouble ticket has other values",
    TicketEvent.STATUS_CHANGE: "A trouble ticket has another status",
    TicketEvent.DELETE: "A trouble ticket was deleted",
    TicketEvent.RESOLVED: "A trouble ticket was resolved",
    TicketEvent.INFORMATION_REQUIRED: "A trouble ticket waits for information of the customer",
}
_WANTED = "note"
"""The member to which the information of a customer is added."""


def envelope_v5(event: TicketEvent, event_id: UUID, cause_id: UUID, at: datetime, ticket: Members) -> Members:
    """An event of version 5. `cause_id`, the event of the history, is the same for all events of one change."""
    content: Members = {"troubleTicket": ticket}
    if event is TicketEvent.INFORMATION_REQUIRED:
        content["informationRequired"] = {"op": "add", "path": f"/{_WANTED}"}
    return {
        "@type": str(event),
        "@baseType": "Event",
        **_members(event, event_id, cause_id, at),
        "timeOccurred": at,
        "event": content,
    }


def envelope_v4(event: TicketEvent, event_id: UUID, cause_id: UUID, at: datetime, ticket: Members) -> Members:
    """An event of version 4, which writes `timeOcurred`."""
    path = {"fieldPath": _WANTED} if event is TicketEvent.INFORMATION_REQUIRED else {}
    return {
        **_members(event, event_id, cause_id, at),
        "timeOcurred": at,
        **path,
        "event": {"troubleTicket": ticket},
    }


def _members(event: TicketEvent, event_id: UUID, cause_id: UUID, at: datetime) -> Members:
    return {
        "eventId": event_id,
        "eventTime": at,
        "eventType": str(event),
        "correlationId": cause_id,
        "domain": _DOMAIN,
        "title": _TITLES[event],
    }
