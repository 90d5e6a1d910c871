"""A complaint as a trouble ticket of version 5."""

from collections.abc import Mapping
from typing import Any

from complaints.domain.complaint.facts import add_own_id
from complaints.domain.vocabulary import DeadlineKind, Status
from complaints.tmf621.editions import Members
from complaints.tmf621.requests import FACE
from complaints.tmf621.tickets.attachments import show_attachments
from complaints.tmf621.tickets.characteristics import show_characteristics
from complaints.tmf621.tickets.histories import show_status_change
from complaints.tmf621.tickets.identifiers import show_identifiers
from complaints.tmf621.tickets.intake import TYPE, subject_of
from complaints.tmf621.tickets.kept_members import kept_list, kept_object, kept_of, kept_text
from complaints.tmf621.tickets.loading import TicketParts
from complaints.tmf621.tickets.parties import show_parties
from complaints.tmf621.tickets.relationships import show_relationships
from complaints.tmf621.tickets.statuses import ticket_status
from complaints.tmf621.tickets.words import priority_word, severity_word

NAME = "troubleTicket"
SPECIFICATIONS = "troubleTicketSpecification"
_UNTYPED = "complaint"
_KEPT_TEXTS = ("@baseType", "@schemaLocation", "requestedResolutionDate")


def ticket_json(ticket: TicketParts, base: str) -> Members:
    """The ticket. `base` is the beginning of each `href`."""
    parts = ticket.complaint
    members, kept = parts.members, kept_of(parts.members["attributes"])
    ids = add_own_id(members["external_ids"], members["source"], members["external_id"])
    is_chosen = bool(members["priority_given"] or members["priority_raised_by"])
    status: Status = members["status"]
    ticket_type = _ticket_type(ticket, kept)
    description = members["subject"] if members["description"] is None else members["description"]
    shown: dict[str, Any] = {
        "id": str(members["id"]),
        "href": f"{base}/{NAME}/{members['id']}",
        "@type": TYPE if (sent_type := kept_text(kept, "@type")) is None else sent_type,
        **{name: kept_text(kept, name) for name in _KEPT_TEXTS},
        "channel": kept_object(kept, "channel"),
        "relatedEntity": kept_list(kept, "relatedEntity"),
        "name": _name(str(members["subject"]), description, kept, ticket_type),
        "description": description,
        "severity": severity_word(members["severity"], kept.get("severity")),
        "priority": priority_word(members["priority"], kept.get("priority"), is_chosen=is_chosen),
        "ticketType": ticket_type,
        "status": ticket_status(status, ticket.hold_reason),
        "creationDate": members["received_at"],
        "lastUpdate": members["updated_at"],
        "resolutionDate": members["resolved_at"],
        "expectedResolutionDate": _resolution_due_at(ticket),
        **_status_changes(ticket),
        "note": list(ticket.notes),
        "externalIdentifier": show_identifiers(kept_list(kept, "externalIdentifier"), members["source"], ids),
        "relatedParty": show_parties(
            kept_list(kept, "relatedParty"), parts.persons, members["id"], in_clear=parts.in_clear
        ),
        "attachment": show_attachments(
            kept_list(kept, "attachment"), ticket.attachments, base.rpartition(FACE)[0]
        ),
        "troubleTicketRelationship": show_relationships(
            kept_list(kept, "troubleTicketRelationship"), parts.links, f"{base}/{NAME}"
        ),
        "troubleTicketSpecification": _specification(ticket, kept, base),
        "troubleTicketCharacteristic": show_characteristics(
            members, kept_list(kept, "troubleTicketCharacteristic")
        ),
    }
    return {name: value for name, value in shown.items() if value not in (None, [], {})}


def _ticket_type(ticket: TicketParts, kept: Mapping[str, Any]) -> str:
    """The type as it was sent, unless it is the word for another category than the present one."""
    category, sent = ticket.complaint.members["category"], kept_text(kept, "ticketType")
    if sent is not None and ticket.words.find_code(sent) in (None, category):
        return sent
    return category or sent or _UNTYPED


def _name(subject: str, description: str, kept: Mapping[str, Any], ticket_type: str) -> str:
    """The subject. A name that no subject can be is shown as long as the subject is one that was made of it.

    The subject may be made of the type as it was sent, or as it is shown.
    """
    sent = kept_text(kept, "name")
    if sent is None:
        return subject
    made = (subject_of(sent, description, one) for one in (kept_text(kept, "ticketType"), ticket_type))
    return sent if subject in made else subject


def _resolution_due_at(ticket: TicketParts) -> Any:
    parts = ticket.complaint
    due = [
        one["due_at"]
        for one in parts.deadlines
        if one["kind"] == DeadlineKind.RESOLUTION and one["cycle"] == parts.members["cycle"]
    ]
    return due[-1] if due else None


def _status_changes(ticket: TicketParts) -> Members:
    if not ticket.changes:
        return {}
    last = ticket.changes[-1]
    return {
        "statusChangeDate": last.at,
        "statusChangeReason": last.reason,
        "statusChangeHistory": [show_status_change(one) for one in ticket.changes],
    }


def _specification(ticket: TicketParts, kept: Mapping[str, Any], base: str) -> Members | None:
    """What was sent, if no category has its id. Otherwise the category, with the other members of what was sent."""
    category, sent = ticket.complaint.members["category"], kept_object(kept, "troubleTicketSpecification")
    if category is None or (sent and ticket.words.find_code(str(sent.get("id"))) is None):
        return sent or None
    shown: Members = {
        "@type": "TroubleTicketSpecificationRef",
        "@referredType": "TroubleTicketSpecification",
        **(sent if sent.get("id") == category else {}),
        "id": category,
        "href": f"{base}/{SPECIFICATIONS}/{category}",
    }
    name = ticket.words.name_of(category)
    return shown if name is None else {**shown, "name": name}
