"""A new ticket as a complaint to register."""

from typing import Any

from complaints.domain.vocabulary import Channel
from complaints.tmf621.tickets.kept_members import ATTRIBUTE, to_members
from complaints.tmf621.tickets.schemas import NewTicket
from complaints.tmf621.tickets.words import read_priority, read_severity
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.commands.messages import read_command

_SUBJECT_LENGTH = 200
_KEPT = (
    "severity",
    "priority",
    "ticketType",
    "requestedResolutionDate",
    "channel",
    "relatedEntity",
    "attachment",
)


def command_of(ticket: NewTicket) -> CreateComplaint:
    """The complaint that a new ticket asks for. Raises InvalidContent."""
    members: dict[str, Any] = {
        "channel": _channel(ticket),
        "subject": (ticket.name or ticket.description or ticket.ticket_type)[:_SUBJECT_LENGTH],
        "description": ticket.description,
        "severity": read_severity(ticket.severity),
        "priority": read_priority(ticket.priority) if ticket.priority else None,
        "complainant": _person(ticket, "customer"),
        "reporter": _person(ticket, "reporter"),
        "attributes": {
            **{one.name: one.value for one in ticket.characteristic or () if one.value is not None},
            ATTRIBUTE: {name: value for name, value in to_members(ticket).items() if name in _KEPT},
        },
    }
    return read_command(
        CreateComplaint, {name: value for name, value in members.items() if value is not None}
    )


def _channel(ticket: NewTicket) -> Channel:
    names = {one.value: one for one in Channel}
    word = (ticket.channel.name or ticket.channel.id).casefold().replace(" ", "_") if ticket.channel else ""
    return names.get(word, Channel.API)


def _person(ticket: NewTicket, role: str) -> dict[str, str] | None:
    for one in ticket.related_party or ():
        if one.role.casefold() == role and (party := one.party_or_party_role) is not None:
            return {"account_no": party.id, **({"name": party.name} if party.name else {})}
    return None
