"""Complaints with all that their tickets show: statuses and notes from the history, attachments, and categories."""

from collections.abc import Sequence
from dataclasses import dataclass

from complaints.api.request import note_persons
from complaints.domain.complaint.attachments import Attachment
from complaints.domain.errors import NotFound
from complaints.domain.vocabulary import EventType
from complaints.tmf621.editions import Members
from complaints.tmf621.requests import TmfRequest
from complaints.tmf621.tickets.categories import CategoryWords, words_of
from complaints.tmf621.tickets.histories import EVENT_TYPES, StatusChange, read_status_changes, show_notes
from complaints.use_cases.access import Caller
from complaints.use_cases.attachments.reading import find_attachments
from complaints.use_cases.complaints.deleted_tickets import is_deleted_ticket
from complaints.use_cases.complaints.history import EventRecord
from complaints.use_cases.complaints.lists import load_view
from complaints.use_cases.complaints.page_histories import find_histories
from complaints.use_cases.complaints.views import ComplaintParts
from complaints.use_cases.service import Service, Transaction


@dataclass(frozen=True, slots=True)
class TicketParts:
    """One ticket as a caller sees it.

    `hold_reason` is that of the last hold. `changes` are those of the status, oldest first, with the creation.
    """

    complaint: ComplaintParts
    words: CategoryWords
    hold_reason: str | None = None
    changes: Sequence[StatusChange] = ()
    notes: Sequence[Members] = ()
    attachments: Sequence[Attachment] = ()


def load_ticket(service: Service, tx: Transaction, caller: Caller, reference: str) -> TicketParts:
    """One ticket by the id or the number of its complaint. Raises NotFound, also for a ticket that was deleted."""
    found = load_view(service, tx, caller, reference).parts
    if is_deleted_ticket(tx, found.members):
        raise NotFound(f"There is no complaint {reference[:100]!r}.")
    [ticket] = load_tickets(service, tx, caller, [found])
    return ticket


def load_tickets(
    service: Service, tx: Transaction, caller: Caller, found: Sequence[ComplaintParts]
) -> list[TicketParts]:
    """The tickets of complaints, in the same order. The number of statements does not depend on their number."""
    histories = find_histories(tx, caller, found, EVENT_TYPES)
    attachments = find_attachments(tx, caller, found)
    words = words_of(service.configuration(tx).categories)
    tickets = []
    for parts in found:
        history = histories.get(parts.members["id"], [])
        tickets.append(
            TicketParts(
                parts,
                words,
                _last_hold_reason(history),
                read_status_changes(history, created_at=parts.members["created_at"]),
                show_notes(history),
                attachments.get(parts.members["id"], ()),
            )
        )
    return tickets


def note_persons_of(request: TmfRequest, tickets: Sequence[TicketParts]) -> None:
    """Note the tickets whose persons the answer shows in clear, for the line of the request in the log."""
    shown = [one.complaint for one in tickets if one.complaint.persons and one.complaint.in_clear]
    note_persons(request.http.scope, [parts.members["id"] for parts in shown])


def new_ticket(service: Service, tx: Transaction, parts: ComplaintParts) -> TicketParts:
    """The ticket of a complaint that this transaction registers. Its history holds nothing but its creation."""
    changes = read_status_changes((), created_at=parts.members["created_at"])
    return TicketParts(parts, words_of(service.configuration(tx).categories), changes=changes)


def _last_hold_reason(history: Sequence[EventRecord]) -> str | None:
    held = [event for event in history if event.type == EventType.HELD]
    return held[-1].data.get("reason") if held else None
