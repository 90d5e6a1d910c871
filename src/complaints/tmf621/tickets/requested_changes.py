"""The parts of a change that are no members of the complaint: a requested status, and new notes. Pure."""

from collections.abc import Collection

from complaints.domain.errors import Conflict, InvalidContent
from complaints.domain.visibility import has_visible_character
from complaints.tmf621.characteristic_names import CARRIED, OUTCOME, READ_ONLY
from complaints.tmf621.tickets.changed_members import PresentTicket
from complaints.tmf621.tickets.characteristics import read_characteristics
from complaints.tmf621.tickets.schemas import TicketChange
from complaints.tmf621.tickets.status_actions import RequestedStatus
from complaints.tmf621.tickets.ticket_patches import TicketPatch

MOST_NEW_NOTES = 100
"""The most new notes that one request brings."""


def read_requested_status(
    patch: TicketPatch, names: Collection[str], after: TicketChange, present: PresentTicket
) -> RequestedStatus | None:
    """The status that a patch asks for, with what the actions carry; None if it names no status.

    An outcome that was only assumed is none. Raises Conflict for a reason or result without a status.
    """
    shown, carried = (
        read_characteristics(one.characteristic or ()).carried for one in (present.before, after)
    )
    changed = frozenset(name for name in CARRIED if carried.get(name) != shown.get(name))
    if after.status is None or "status" not in patch.named:
        if changed or "statusChangeReason" in names:
            name = min(changed, default="statusChangeReason")
            raise Conflict(f"{name} can only be given with a change of the status.")
        return None
    reason = after.status_change_reason if "statusChangeReason" in patch.named else None
    is_assumed = present.complaint.outcome_assumed and OUTCOME not in changed
    return RequestedStatus(
        after.status,
        reason if reason and has_visible_character(reason) else None,
        {name: value for name, value in carried.items() if not (is_assumed and name == OUTCOME)},
        changed,
    )


def check_fixed_characteristics(after: TicketChange, present: PresentTicket) -> None:
    """Raise Conflict if a characteristic that is only for reading has another value, or is gone."""
    shown, given = (
        {one.name: one.value for one in ticket.characteristic or () if one.name in READ_ONLY}
        for ticket in (present.before, after)
    )
    changed = [name for name in sorted(READ_ONLY) if shown.get(name) != given.get(name)]
    if changed:
        raise Conflict(f"The characteristic {changed[0]} is read-only.")


def check_number_of_notes(texts: Collection[str]) -> None:
    """Raise InvalidContent for more new notes than one request brings. Each one is an event of its own."""
    if len(texts) > MOST_NEW_NOTES:
        raise InvalidContent.at("/note", f"A request may bring {MOST_NEW_NOTES} new notes at most.")


def find_new_notes(after: TicketChange, present: PresentTicket) -> list[str]:
    """The texts of notes that the ticket did not show, each once. Raises Conflict if a note was changed or removed.

    Raises InvalidContent for too many new notes.

    A text that is on record already is a repetition: programs send a change again after a timeout.
    """
    shown = present.before.note or ()
    notes = after.note or ()
    texts = {one.id: one.text for one in notes if one.id is not None}
    if any(one.id not in texts or texts[one.id] != one.text for one in shown):
        raise Conflict("Notes can be added, but neither changed nor removed.")
    known_ids, known_texts = {one.id for one in shown}, {one.text for one in shown}
    new = (one.text for one in notes if one.id not in known_ids and one.text not in known_texts)
    added = [*dict.fromkeys(text for text in new if text is not None and has_visible_character(text))]
    check_number_of_notes(added)
    return added
