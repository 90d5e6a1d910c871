"""What the history of a complaint says about its ticket: changes of the status, and notes. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from complaints.domain.vocabulary import EventType, Status
from complaints.tmf621.editions import Members
from complaints.tmf621.tickets.statuses import TicketStatus, ticket_status
from complaints.use_cases.complaints.history import EventRecord

_REASONS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    EventType.RESPONDED: lambda data: data.get("message"),
    EventType.HELD: lambda data: data.get("reason"),
    EventType.RESOLVED: lambda data: data.get("changes", {}).get("resolution"),
    EventType.REOPENED: lambda data: data.get("reason"),
    EventType.CLOSED: lambda data: data.get("message"),
    EventType.REJECTED: lambda data: data.get("message"),
    EventType.WITHDRAWN: lambda data: data.get("reason"),
    EventType.UNMERGED: lambda data: data.get("reason"),
}
"""The words of an event that are the reason of the new status."""
EVENT_TYPES = frozenset(
    {
        EventType.IMPORTED_ENDED,
        EventType.RESPONDED,
        EventType.HELD,
        EventType.RESUMED,
        EventType.RESOLVED,
        EventType.CONTACT_RECORDED,
        EventType.CONTACT_REPEATED,
        EventType.REOPENED,
        EventType.CLOSED,
        EventType.REJECTED,
        EventType.WITHDRAWN,
        EventType.MERGED,
        EventType.UNMERGED,
        EventType.NOTE_ADDED,
    }
)
"""The types of events that a ticket shows, beside its creation. All others change no status of a ticket.

The first event is large, since it has the whole complaint, and the complaint itself tells when it was made.
"""


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A change of the status of a ticket at an instant, in UTC. `reason` None: nobody gave one."""

    status: TicketStatus
    at: datetime
    reason: str | None = None


def read_status_changes(history: Sequence[EventRecord], *, created_at: datetime) -> list[StatusChange]:
    """The changes of the status, oldest first. The first one is the creation.

    Two statuses of a complaint may be one status of the ticket: then nothing changed.
    """
    changes = [StatusChange(TicketStatus.ACKNOWLEDGED, created_at)]
    hold_reason: str | None = None
    for event in history:
        if event.type == EventType.HELD:
            hold_reason = event.data.get("reason")
        changed = event.data.get("changes", {}).get("status")
        if changed is None:
            continue
        status = ticket_status(Status(changed), hold_reason)
        if changes[-1].status is not status:
            changes.append(StatusChange(status, event.at, _reason(event)))
    return changes


def _reason(event: EventRecord) -> str | None:
    read = _REASONS.get(event.type)
    return read(event.data) if read else None


def show_status_change(change: StatusChange) -> Members:
    """A change of the status as TMF621 shows it."""
    shown: Members = {
        "@type": "StatusChange",
        "status": change.status,
        "statusChangeDate": change.at,
    }
    return {**shown, "statusChangeReason": change.reason} if change.reason else shown


def show_notes(history: Sequence[EventRecord]) -> list[Members]:
    """The notes, oldest first. Their authors are the callers who wrote them here."""
    return [
        {
            "@type": "Note",
            "id": str(event.id),
            "author": event.actor,
            "date": event.at,
            "text": event.data["text"],
        }
        for event in history
        if event.type == EventType.NOTE_ADDED
    ]
