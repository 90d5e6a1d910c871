"""A complaint as a trouble ticket of version 5."""

from collections.abc import Sequence
from typing import Any

from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import DeadlineKind, Status
from complaints.tmf621.editions import Members
from complaints.tmf621.tickets.kept_members import ATTRIBUTE, kept_of
from complaints.tmf621.tickets.loading import TicketParts
from complaints.tmf621.tickets.statuses import ticket_status
from complaints.tmf621.tickets.words import priority_word, severity_word

NAME = "troubleTicket"
_TYPE = "TroubleTicket"
_SAME_IN_KEPT = ("requestedResolutionDate", "channel", "relatedEntity", "attachment")


def ticket_json(ticket: TicketParts, base: str) -> Members:
    """The ticket. `base` is the beginning of each `href`."""
    parts = ticket.complaint
    members, kept = parts.members, kept_of(parts.members["attributes"])
    status: Status = members["status"]
    shown: dict[str, Any] = {
        "id": str(members["id"]),
        "href": f"{base}/{NAME}/{members['id']}",
        "@type": _TYPE,
        "name": members["subject"],
        "description": members["description"] or members["subject"],
        "severity": severity_word(members["severity"], kept.get("severity")),
        "priority": priority_word(members["priority"], kept.get("priority")),
        "ticketType": kept.get("ticketType") or members["category"] or "complaint",
        "status": ticket_status(status, ticket.hold_reason),
        "creationDate": members["received_at"],
        "lastUpdate": members["updated_at"],
        "resolutionDate": members["resolved_at"],
        "expectedResolutionDate": _resolution_due_at(ticket),
        **{name: kept[name] for name in _SAME_IN_KEPT if name in kept},
        "troubleTicketCharacteristic": _characteristics(ticket),
    }
    return {name: value for name, value in shown.items() if value not in (None, [], ())}


def _resolution_due_at(ticket: TicketParts) -> Any:
    due = [one["due_at"] for one in ticket.complaint.deadlines if one["kind"] == DeadlineKind.RESOLUTION]
    return due[-1] if due else None


def _characteristics(ticket: TicketParts) -> Sequence[Members]:
    members = ticket.complaint.members
    values = {
        "complaintState": members["status"],
        "complaintNumber": number_of(members["sequence"]),
        **{name: value for name, value in members["attributes"].items() if name != ATTRIBUTE},
    }
    return [
        {"@type": "StringCharacteristic", "name": name, "valueType": "string", "value": value}
        for name, value in values.items()
    ]
