"""Notes on a complaint, and links to other complaints."""

from uuid import UUID

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import Conflict, InvalidContent, NotFound
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.contacts import notify_of_contact
from complaints.domain.vocabulary import EventType, LinkType
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import link
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import AddLink, AddNote
from complaints.use_cases.complaints.changing import change_complaint
from complaints.use_cases.complaints.known import load_known_id
from complaints.use_cases.service import Service


def add_note(
    service: Service, tx: Transaction, caller: Caller, reference: str, command: AddNote
) -> Complaint:
    """Add a note to the history. Raises Forbidden, NotFound.

    Nobody who works on the complaint wrote the note of an intake key. So assignee and first owner are notified, as
    of a contact (rule 1.12).
    """

    def step(tx: Transaction, change: Change, policy: Policy) -> None:
        plan_note(tx, change, command)
        if Right.WORK not in caller.rights and change.complaint.open:
            notify_of_contact(change, service.context(tx, change.complaint, caller))

    return change_complaint(service, tx, caller, reference, step, right=Right.CONTRIBUTE)


def plan_note(tx: Transaction, change: Change, command: AddNote) -> None:
    """Plan a note. It gives the complaint no new version."""
    visibility = command.visibility or "internal"
    change.record(EventType.NOTE_ADDED, tx.now, text=command.text, visibility=visibility)


def add_link(
    service: Service, tx: Transaction, caller: Caller, reference: str, command: AddLink
) -> tuple[Complaint, bool]:
    """Link a complaint to another one. Returns the complaint, and True if the link is new.

    Raises InvalidContent for an unknown other complaint or the complaint itself, Forbidden, NotFound.
    """
    added = False

    def step(tx: Transaction, change: Change, policy: Policy) -> None:
        nonlocal added
        other_id = _load_other_id(tx, caller, command.complaint_id)
        if change.complaint.id == other_id:
            raise InvalidContent.at("/complaint_id", "A complaint cannot be linked to itself.")
        added = link.add_link(tx, change.complaint.id, command.type, other_id)
        if added:
            change.touch(tx.now)
            change.record(EventType.LINKED, tx.now, type=command.type, complaint_id=other_id)

    return change_complaint(service, tx, caller, reference, step), added


def remove_link(
    service: Service,
    tx: Transaction,
    caller: Caller,
    reference: str,
    link_type: LinkType,
    other_reference: str,
) -> Complaint:
    """Remove a link. Raises NotFound if there is none, and Conflict for the link of a merge."""

    def step(tx: Transaction, change: Change, policy: Policy) -> None:
        other_id = load_known_id(tx, caller, other_reference)
        if link_type is LinkType.DUPLICATE_OF and change.complaint.merged_into == other_id:
            raise Conflict(
                "The link of a merge stays. A supervisor can undo a merge within an hour: unmerge."
            )
        if not link.remove_link(tx, change.complaint.id, link_type, other_id):
            raise NotFound(f"There is no {link_type} link to that complaint.")
        change.touch(tx.now)
        change.record(EventType.UNLINKED, tx.now, type=link_type, complaint_id=other_id)

    return change_complaint(service, tx, caller, reference, step)


def _load_other_id(tx: Transaction, caller: Caller, reference: str) -> UUID:
    try:
        return load_known_id(tx, caller, reference)
    except NotFound as error:
        raise InvalidContent.at("/complaint_id", error.detail) from None
