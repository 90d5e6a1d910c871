"""Changes of the relations of a ticket: links of its complaint, or relations to keep."""

from collections.abc import Sequence
from dataclasses import dataclass

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import InvalidContent, NotFound
from complaints.domain.vocabulary import LinkType
from complaints.tmf621.editions import Members
from complaints.tmf621.requests import TmfRequest
from complaints.tmf621.tickets.kept_members import to_members
from complaints.tmf621.tickets.schemas import GivenRelationship
from complaints.use_cases.commands.complaints import AddLink
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.complaints.known import load_known_id
from complaints.use_cases.complaints.notes_and_links import add_link, remove_link
from complaints.use_cases.service import Transaction

RELATIONS = "troubleTicketRelationship"
_WORDS = {
    "duplicateof": LinkType.DUPLICATE_OF,
    "duplicate": LinkType.DUPLICATE_OF,
    "recurrenceof": LinkType.RECURRENCE_OF,
    "recurrence": LinkType.RECURRENCE_OF,
    "relatedto": LinkType.RELATED,
    "related": LinkType.RELATED,
    "relatesto": LinkType.RELATED,
}
Pair = tuple[LinkType, str]
"""A link: its type, and the id of the other complaint."""


def link_type_of(word: str) -> LinkType | None:
    """The type of the link that a type of relation means, such as `isDuplicateOf`. None: no link has it. Pure."""
    letters = "".join(ch for ch in word.casefold() if ch.isalnum())
    return _WORDS.get(letters.removeprefix("is"))


@dataclass(frozen=True, slots=True)
class Relations:
    """Relations of a ticket: links to complaints that the caller may know of, and relations that are no links."""

    links: frozenset[Pair]
    others: Sequence[Members]


def read_relations(
    request: TmfRequest, tx: Transaction, given: Sequence[GivenRelationship] | None
) -> Relations:
    """The relations that a ticket has, or is to have."""
    links, others = set(), []
    for one in given or ():
        link_type = link_type_of(one.relationship_type)
        other = _find_id(request, tx, one.id) if link_type else None
        if link_type and other:
            links.add((link_type, other))
        else:
            others.append(to_members(one))
    return Relations(frozenset(links), others)


def _find_id(request: TmfRequest, tx: Transaction, reference: str) -> str | None:
    try:
        return str(load_known_id(tx, request.caller, reference))
    except NotFound:
        return None


def change_links(
    request: TmfRequest, tx: Transaction, complaint: Complaint, before: Relations, after: Relations
) -> None:
    """Add and remove links. Raises Forbidden, Conflict for the link of a merge, and InvalidContent."""
    service, caller, reference = request.service, request.caller, str(complaint.id)
    for link_type, other in sorted(before.links - after.links):
        remove_link(service, tx, caller, reference, link_type, other)
    for link_type, other in sorted(after.links - before.links):
        if other == reference:
            raise InvalidContent.at(f"/{RELATIONS}", "A ticket cannot be related to itself.")
        command = read_command(AddLink, {"type": link_type, "complaint_id": other})
        add_link(service, tx, caller, reference, command)
