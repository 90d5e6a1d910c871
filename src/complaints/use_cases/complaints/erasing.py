"""Erasing the texts of a complaint's events, in both forms, with the copies of them in other tables."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import Change, Event
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.history import ChainedEvent
from complaints.domain.complaint.texts import ERASED, EventTexts, find_texts
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.erasing import plan_erasure
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.storage import load
from complaints.storage.database.loop_names import ATTACHMENT_LOOP
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import attachment, deadline, draft, escalation, event, event_text
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.changing import change_complaint
from complaints.use_cases.service import Service


def erase_texts(
    service: Service,
    tx: Transaction,
    caller: Caller,
    reference: str,
    *,
    reason: str,
    ordinals: Collection[int] | None = None,
) -> Complaint:
    """Erase the texts of the events with these ordinals; by default of all events but those that erased.

    Members of the complaint that have their value from such an event are emptied too, and so are attachments that
    such an event added; by default all attachments (rule 11.5). Drafts for its forms are deleted. Events in detached
    months keep the texts that stand in themselves. Raises like `change_complaint`.
    """

    def step(tx: Transaction, change: Change, policy: Policy) -> None:
        extent = load.load_history_extent(tx, str(change.complaint.id), scope=ALL_COMPLAINTS)
        rows = event.list_events(
            tx, extent.complaint_id, after=0, limit=extent.events, from_number=extent.events_after
        )
        history = [_stored_event(row) for row in rows]
        erasures = plan_erasure(change, history, tx.now, reason=reason, ordinals=ordinals)
        sequences = {row["ordinal"]: row["sequence"] for row in rows}
        for one in erasures:
            if one.left is not None:
                event.replace_data(tx, sequences[one.event.ordinal], one.left)
        events = [one.event for one in erasures]
        event_text.delete_texts(tx, change.complaint.id, [one.ordinal for one in events])
        _erase_copies(tx, events)
        draft.delete_drafts_of(tx, change.complaint.id)
        added = None if ordinals is None else _ids(events, "attachment_id", place="file_name")
        if attachment.erase_attachments(tx, change.complaint.id, added, at=tx.now):
            tx.hasten(ATTACHMENT_LOOP, tx.now)

    return change_complaint(service, tx, caller, reference, step, right=Right.ERASE)


def _stored_event(row: Mapping[Any, Any]) -> ChainedEvent:
    stored = Event(row["type"], row["version"], row["at"], row["actor"], json.loads(row["data"]))
    texts = EventTexts(row["salt"], event_text.read_texts(row["texts"])) if row["texts"] else None
    return ChainedEvent(row["ordinal"], stored, row["data"], row["digest"], texts)


def _erase_copies(tx: Transaction, events: Sequence[ChainedEvent]) -> None:
    """Erase the text of promises, the reason of escalations and the note of acknowledgements."""
    deadline.set_promise_texts(tx, _ids(events, "deadline_id", place="text"), ERASED)
    escalation.set_reasons(tx, _ids(events, "escalation_id", place="reason"), ERASED)
    escalation.set_notes(tx, _ids(events, "escalation_id", place="note"), ERASED)


def _ids(events: Sequence[ChainedEvent], member: str, *, place: str) -> list[UUID]:
    """The ids in `member` of the events that have a text at `place`."""
    data = [one.event.data for one in events if place in find_texts(one.event.type, one.event.data)]
    return [UUID(found[member]) for found in data if member in found]
