"""Reads everything stored about subjects that are no complaints, batch by batch, for `complaints check`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from complaints.domain.scope import ALL_COMPLAINTS
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.audit import (
    EscalationRow,
    EventRow,
    Parts,
    escalation_columns,
    event_columns,
)
from complaints.storage.rows.escalation import escalation, escalation_recipient
from complaints.storage.rows.event import event
from complaints.storage.rows.event_text import find_texts
from complaints.storage.rows.link import find_subject_links
from complaints.storage.rows.subject import SubjectRecord, subject
from complaints.storage.subjects import find_subjects


class SubjectRow(NamedTuple):
    """A subject, and the stored columns that do not stand in its fact. `loaded` is None if it cannot be read."""

    id: UUID
    number: str
    wake_at: datetime | None
    parked_at: datetime | None
    loaded: SubjectRecord | None


@dataclass(slots=True)
class SubjectParts:
    """The events of a subject, oldest first, and its other rows."""

    events: list[EventRow] = field(default_factory=list)
    others: Parts = field(default_factory=Parts)


def find_batch(tx: Transaction, after: UUID | None, limit: int) -> list[SubjectRow]:
    """Up to `limit` subjects after the id `after`, ordered by id."""
    s = subject.c
    statement = select(s.id, s.number, s.wake_at, s.parked_at).order_by(s.id).limit(limit)
    if after is not None:
        statement = statement.where(s.id > after)
    rows = tx.connection.execute(statement).all()
    return [SubjectRow(*row, _load_readable(tx, row.id)) for row in rows]


def _load_readable(tx: Transaction, subject_id: UUID) -> SubjectRecord | None:
    try:
        return find_subjects(tx, subject.c.id == subject_id)[0]
    except (ValueError, TypeError, LookupError):
        return None


def find_parts(tx: Transaction, subject_ids: Sequence[UUID]) -> dict[UUID, SubjectParts]:
    """The rows of subjects in other tables, by subject id."""
    parts = {subject_id: SubjectParts() for subject_id in subject_ids}
    e, x = event.c, escalation.c
    events = select(*event_columns(e.subject_id)).where(e.subject_id.in_(subject_ids))
    for row in tx.connection.execute(events.order_by(e.subject_id, e.ordinal)):
        found = EventRow(*row)
        parts[UUID(found.owner_id)].events.append(found)
    taken = select(*escalation_columns(x.subject_id)).where(x.subject_id.in_(subject_ids))
    for row in tx.connection.execute(taken.order_by(x.subject_id, x.planned_at)):
        parts[row.subject_id].others.escalations.append(EscalationRow(*row))
    notified = select(x.subject_id, x.id, escalation_recipient.c.login).join(escalation_recipient)
    for subject_id, link_type, other in find_subject_links(tx, subject_ids, scope=ALL_COMPLAINTS):
        parts[subject_id].others.links.add((link_type, str(other.id)))
    for subject_id, texts in find_texts(tx, subject_ids, of_subjects=True).items():
        parts[subject_id].others.texts = texts
    for subject_id, escalation_id, login in tx.connection.execute(
        notified.where(x.subject_id.in_(subject_ids))
    ):
        parts[subject_id].others.recipients[escalation_id].add(login)
    return parts
