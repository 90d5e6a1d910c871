"""Changes of the relations of a ticket: links of its complaint, or relations to keep."""

from collections.abc import Sequence
from uuid import UUID

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import InvalidContent
from complaints.tmf621.requests import TmfRequest
from complaints.tmf621.tickets.relationships import Relationships, read_relationships
from complaints.tmf621.tickets.schemas import GivenRelationship
from complaints.use_cases.access import Right
from complaints.use_cases.commands.complaints import AddLink
from complaints.use_cases.complaints.known import is_known, load_known_id
from complaints.use_cases.complaints.notes_and_links import add_link, remove_link
from complaints.use_cases.service import Transaction

RELATIONS = "troubleTicketRelationship"


def read_relations(
    request: TmfRequest, tx: Transaction, given: Sequence[GivenRelationship] | None
) -> Relationships:
    """The relations that a ticket has, or is to have. A caller who may not link complaints links none."""
    caller = request.caller

    def find(reference: str) -> UUID | None:
        if Right.WORK not in caller.rights or not is_known(tx, caller, reference, Right.WORK):
            return None
        return load_known_id(tx, caller, reference, Right.WORK)

    return read_relationships(given or (), find)


def change_links(
    request: TmfRequest, tx: Transaction, complaint: Complaint, before: Relationships, after: Relationships
) -> None:
    """Add and remove links. Raises Forbidden, Conflict for the link of a merge, and InvalidContent."""
    service, caller, reference = request.service, request.caller, str(complaint.id)
    for link_type, other_id in sorted(set(before.links) - set(after.links)):
        remove_link(service, tx, caller, reference, link_type, str(other_id))
    for link_type, other_id in sorted(set(after.links) - set(before.links)):
        if other_id == complaint.id:
            raise InvalidContent.at(f"/{RELATIONS}", "A ticket cannot be related to itself.")
        add_link(service, tx, caller, reference, AddLink(type=link_type, complaint_id=str(other_id)))
