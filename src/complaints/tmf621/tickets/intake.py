"""A new ticket as a complaint to register."""

from collections.abc import Sequence
from typing import Any

from complaints.domain.errors import Conflict
from complaints.domain.visibility import has_visible_character
from complaints.domain.vocabulary import Channel
from complaints.tmf621.editions import Members
from complaints.tmf621.tickets.categories import CategoryWords
from complaints.tmf621.tickets.characteristics import read_characteristics
from complaints.tmf621.tickets.identifiers import read_identifiers
from complaints.tmf621.tickets.kept_members import ATTRIBUTE, to_members
from complaints.tmf621.tickets.parties import read_parties
from complaints.tmf621.tickets.schemas import GivenChannel, NewTicket
from complaints.tmf621.tickets.statuses import TicketStatus
from complaints.tmf621.tickets.words import read_priority, read_severity
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.commands.messages import read_command

LONGEST_SUBJECT = 500
TYPE = "TroubleTicket"
_FIRST_LINE = 200
_NAMELESS = "Trouble ticket"
_ENDED = frozenset(
    {TicketStatus.RESOLVED, TicketStatus.CLOSED, TicketStatus.REJECTED, TicketStatus.CANCELLED}
)
_KEPT_AS_SENT = (
    "@baseType",
    "@schemaLocation",
    "severity",
    "priority",
    "ticketType",
    "requestedResolutionDate",
    "channel",
    "relatedEntity",
    "troubleTicketSpecification",
)
_CHANNELS = {one.value: one for one in Channel}


def command_of(
    ticket: NewTicket,
    caller: Caller,
    words: CategoryWords,
    *,
    attachments: Sequence[Members],
    relationships: Sequence[Members],
) -> CreateComplaint:
    """The complaint that a new ticket asks for. It keeps `attachments`, without bytes, and `relationships`.

    Raises InvalidContent for a description that is too long, and Conflict for a status that only ends a ticket.
    """
    if ticket.status in _ENDED:
        raise Conflict(
            f"A new ticket cannot begin as {ticket.status}: create it without a status, then change the status."
        )
    source = caller.source
    identifiers = read_identifiers(
        ticket.external_identifier or (), source, caller.scope_for(Right.CREATE).admits_source
    )
    parties = read_parties(ticket.related_party or ())
    characteristics = read_characteristics(ticket.characteristic or ())
    kept = {
        **keep_as_sent(ticket),
        "externalIdentifier": list(identifiers.kept),
        "relatedParty": list(parties.kept),
        "troubleTicketCharacteristic": list(characteristics.kept),
        "attachment": list(attachments),
        "troubleTicketRelationship": list(relationships),
    }
    ids = dict(identifiers.ids)
    members: dict[str, Any] = {
        "channel": channel_of(ticket.channel),
        "subject": subject_of(ticket.name, ticket.description, ticket.ticket_type),
        "description": ticket.description,
        "severity": read_severity(ticket.severity),
        "priority": None if ticket.priority is None else read_priority(ticket.priority),
        "category": category_of(ticket, words),
        **parties.persons,
        "external_id": ids.pop(source, None),
        "external_ids": ids or None,
        "attributes": {
            **characteristics.attributes,
            ATTRIBUTE: {name: value for name, value in kept.items() if value not in ([], None)},
        },
    }
    return read_command(
        CreateComplaint, {name: value for name, value in members.items() if value is not None}
    )


def keep_as_sent(ticket: NewTicket) -> Members:
    """The members that a complaint has in no form. The name and the type are kept only if they say something more."""
    members = to_members(ticket)
    kept = {name: members[name] for name in _KEPT_AS_SENT if name in members}
    if ticket.name is not None and not is_subject(ticket.name):
        kept["name"] = ticket.name
    if ticket.type_ not in (TYPE, ""):
        kept["@type"] = ticket.type_
    return kept


def is_subject(name: str) -> bool:
    """True if the name of a ticket can be the subject of a complaint as it is."""
    return len(name) <= LONGEST_SUBJECT and has_visible_character(name)


def subject_of(name: str | None, description: str | None, ticket_type: str | None) -> str:
    """The subject of the complaint: the name of the ticket, else the first line of its description, else its type."""
    first_line = (description or "").strip().partition("\n")[0]
    for text in ((name or "")[:LONGEST_SUBJECT], first_line[:_FIRST_LINE], (ticket_type or "")[:_FIRST_LINE]):
        if has_visible_character(text):
            return text
    return _NAMELESS


def category_of(ticket: NewTicket, words: CategoryWords) -> str | None:
    """The code of the category that the specification names, else the type of the ticket; None: neither does."""
    by_specification = words.find_code(ticket.specification.id) if ticket.specification else None
    return by_specification or words.find_code(ticket.ticket_type)


def channel_of(given: GivenChannel | None) -> Channel:
    """The channel of the complaint that a channel of a ticket names, by its name or its id; `api` if neither does."""
    for word in (given.name, given.id) if given else ():
        if found := _CHANNELS.get((word or "").strip().casefold().replace(" ", "_").replace("-", "_")):
            return found
    return Channel.API
