"""What messages are about: complaints, other subjects, escalations and imports, from the tables of the core."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import literal, select

from complaints.domain.complaint.numbers import number_of
from complaints.features.notifications.hearing import Owners
from complaints.features.notifications.tables.deliveries import message_delivery
from complaints.features.notifications.topics import About, Topic
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.deadline import deadline
from complaints.storage.rows.escalation import WAITING, escalation
from complaints.storage.rows.import_job import import_job
from complaints.storage.rows.subject import subject


def find_topics(tx: Transaction, things: Collection[About]) -> dict[UUID, Topic]:
    """The complaints and other subjects of events or deliveries, by id."""
    complaint_ids = {one.complaint_id for one in things if one.complaint_id}
    subject_ids = {one.subject_id for one in things if one.subject_id}
    k, o = complaint.c, subject.c
    of_complaints = select(
        k.id, k.sequence, k.team, k.assignee, k.first_owner, k.priority, k.category, k.next_due_at
    ).where(any_of(k.id, complaint_ids))
    found = {}
    for row in tx.connection.execute(of_complaints) if complaint_ids else ():
        owners = Owners(row.team, row.assignee, row.first_owner)
        found[row.id] = Topic(number_of(row.sequence), owners, row.priority, row.category, row.next_due_at)
    of_subjects = select(o.id, o.number, o.team, o.owner).where(any_of(o.id, subject_ids))
    for own in tx.connection.execute(of_subjects) if subject_ids else ():
        found[own.id] = Topic(own.number, Owners(own.team, own.owner, own.owner))
    return found


def find_waiting_escalations(
    tx: Transaction, escalation_ids: Collection[UUID]
) -> dict[UUID, datetime | None]:
    """Those of these escalations that are neither acknowledged nor settled, with the due time of their deadline.

    None: a user escalated, and no deadline did.
    """
    statement = (
        select(escalation.c.id, deadline.c.due_at)
        .outerjoin(deadline, deadline.c.id == escalation.c.deadline_id)
        .where(any_of(escalation.c.id, escalation_ids), WAITING)
    )
    return {row.id: row.due_at for row in tx.connection.execute(statement)}


_IMPORT_FIGURES = ("rows", "accepted", "duplicates", "failed")


@dataclass(frozen=True, slots=True)
class EndedImport:
    """An import that has ended, the user who started it, and its figures."""

    id: UUID
    login: str
    facts: dict[str, int]


def find_ended_imports(tx: Transaction, *, since: datetime, limit: int) -> list[EndedImport]:
    """The imports of users that have ended since then, and about which no message was written."""
    j = import_job.c
    written = select(literal(1)).where(message_delivery.c.event_id == j.id)
    statement = (
        select(j.id, j.login, *(j[name] for name in _IMPORT_FIGURES))
        .where(j.login.is_not(None), j.finished_at >= since, ~j.dry_run, ~written.exists())
        .order_by(j.finished_at)
        .limit(limit)
    )
    return [
        EndedImport(row["id"], row["login"], {name: row[name] for name in _IMPORT_FIGURES})
        for row in tx.connection.execute(statement).mappings()
    ]
