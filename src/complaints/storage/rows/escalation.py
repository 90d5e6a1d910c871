"""Escalations and their recipients. A unique key on deadline and step lets each step be taken only once (rule 3.1)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    RowMapping,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    select,
    text,
    true,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from complaints.domain.complaint.facts import Escalation
from complaints.domain.vocabulary import DeadlineKind
from complaints.storage.database.any_of import any_of
from complaints.storage.database.bulk import Inserts, update_rows
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata, one_of_registered, one_subject

escalation = Table(
    "escalation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("complaint_id", ForeignKey("complaint.id")),
    Column("subject_id", ForeignKey("subject.id")),
    Column("deadline_id", ForeignKey("deadline.id")),
    Column("kind", one_of_registered(DeadlineKind)),
    Column("step", String(40), nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("recipients", JSON, nullable=False),
    Column("team", ForeignKey("team.code"), nullable=False),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("superseded", Boolean, nullable=False),
    Column("reason", Text),
    Column("acknowledged_at", UtcDateTime),
    Column("acknowledged_by", String(210)),
    Column("acknowledged_note", Text),
    Column("settled_at", UtcDateTime),
    UniqueConstraint("deadline_id", "step"),
    CheckConstraint("taken_at >= planned_at", name="none_before_its_time"),
    CheckConstraint("level >= 0", name="level"),
    CheckConstraint("(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name="acknowledged"),
    CheckConstraint("(deadline_id IS NULL) = (kind IS NULL)", name="kind"),
    one_subject(),
)
e = escalation.c
Index("ix_escalation__complaint_id", e.complaint_id, e.taken_at)
_OF_SUBJECTS = e.subject_id.is_not(None)
Index(
    "ix_escalation__subject_id",
    e.subject_id,
    e.taken_at,
    postgresql_where=_OF_SUBJECTS,
    sqlite_where=_OF_SUBJECTS,
)
Index("ix_escalation__taken_at", e.taken_at, e.id)
Index("ix_escalation__team_taken_at", e.team, e.taken_at, e.id)
WAITING = e.acknowledged_at.is_(None) & e.settled_at.is_(None)
Index("ix_escalation__waiting", e.taken_at, e.id, postgresql_where=WAITING, sqlite_where=WAITING)

escalation_recipient = Table(
    "escalation_recipient",
    metadata,
    Column("login", ForeignKey("user_account.login"), primary_key=True),
    Column("escalation_id", ForeignKey("escalation.id"), primary_key=True),
    # True while the escalation is neither acknowledged nor settled: the inbox of a user is read from an index.
    Column("waiting", Boolean, nullable=False, server_default=true()),
)
r = escalation_recipient.c
Index("ix_escalation_recipient__escalation_id", r.escalation_id, r.login)
# A text: SQLAlchemy would write `waiting = 1` for SQLite, and SQLite could not prove that the index serves.
IN_INBOX = text("waiting")
Index(
    "ix_escalation_recipient__waiting",
    r.login,
    r.escalation_id,
    postgresql_where=IN_INBOX,
    sqlite_where=IN_INBOX,
)


class UnsettledEscalation(NamedTuple):
    """An escalation that is not settled. `deadline_id` is None if it belongs to no deadline."""

    id: UUID
    deadline_id: UUID | None
    recipients: Sequence[str]


class Acknowledgement(NamedTuple):
    """The mark on an escalation of which a user takes care."""

    escalation: UnsettledEscalation
    at: datetime
    by: str
    note: str | None


def insert_escalations(
    inserts: Inserts, taken: Sequence[tuple[UUID, str, Escalation]], *, of_subjects: bool = False
) -> None:
    """Write escalations, each with the id and the team of its complaint. With `of_subjects`: of another subject.

    A step that was taken before violates the unique key, and the transaction raises RaceLost.
    """
    if not taken:
        return
    owner = "subject_id" if of_subjects else "complaint_id"
    rows = [
        {
            "id": fact.id,
            owner: owner_id,
            "deadline_id": fact.deadline_id,
            "kind": fact.kind,
            "step": fact.step,
            "level": fact.level,
            "roles": list(fact.roles),
            "recipients": list(fact.recipients),
            "team": team,
            "planned_at": fact.planned_at,
            "taken_at": fact.taken_at,
            "superseded": fact.superseded,
            "reason": fact.reason,
        }
        for owner_id, team, fact in taken
    ]
    inserts.add(escalation, rows)
    recipients = [
        {"escalation_id": fact.id, "login": login} for _, _, fact in taken for login in fact.recipients
    ]
    inserts.add(escalation_recipient, recipients)


def find_of_deadline(tx: Transaction, deadline_id: UUID) -> Sequence[RowMapping]:
    """The steps taken on one deadline, in planned order."""
    statement = select(escalation).where(e.deadline_id == deadline_id).order_by(e.planned_at, e.id)
    return tx.connection.execute(statement).mappings().all()


def find_of_complaint(tx: Transaction, complaint_id: UUID, *, limit: int) -> Sequence[RowMapping]:
    """The last `limit` steps taken on the deadlines of one complaint, in the order in which they were taken."""
    of_deadlines = e.complaint_id == complaint_id, e.deadline_id.is_not(None)
    statement = select(escalation).where(*of_deadlines).order_by(e.taken_at.desc(), e.id.desc()).limit(limit)
    return tx.connection.execute(statement).mappings().all()[::-1]


def find_unsettled(tx: Transaction, complaint_id: UUID) -> list[UnsettledEscalation]:
    """The escalations of a complaint that are not settled, oldest first."""
    statement = select(e.id, e.deadline_id, e.recipients)
    found = statement.where(e.complaint_id == complaint_id, e.settled_at.is_(None))
    return [UnsettledEscalation(*row) for row in tx.connection.execute(found.order_by(e.taken_at, e.id))]


def acknowledge_escalation(tx: Transaction, escalation_id: UUID, *, by: str, note: str | None) -> bool:
    """Mark an escalation as acknowledged now. Returns False if it was acknowledged before."""
    statement = (
        update(escalation)
        .where(e.id == escalation_id, e.acknowledged_at.is_(None))
        .values(acknowledged_at=tx.now, acknowledged_by=by, acknowledged_note=note)
        .returning(e.id, e.recipients)
    )
    return _take_from_inboxes(tx, statement) == 1


def acknowledge_each(tx: Transaction, marks: Sequence[Acknowledgement]) -> None:
    """Mark escalations as acknowledged, each by its own user at its own instant. They wait for nobody then."""
    rows = [
        {
            "acknowledged_at": mark.at,
            "acknowledged_by": mark.by,
            "acknowledged_note": mark.note,
            "key_id": mark.escalation.id,
        }
        for mark in marks
    ]
    update_rows(tx, escalation, rows)
    _take_each_from_inboxes(tx, [mark.escalation for mark in marks])


def settle_each(tx: Transaction, settled: Sequence[tuple[UnsettledEscalation, datetime]]) -> None:
    """Mark escalations as settled, each at its own instant (rule 3.8)."""
    update_rows(tx, escalation, [{"settled_at": at, "key_id": one.id} for one, at in settled])
    _take_each_from_inboxes(tx, [one for one, _ in settled])


def _take_each_from_inboxes(tx: Transaction, escalations: Sequence[UnsettledEscalation]) -> None:
    rows = [
        {"waiting": False, "key_login": login, "key_escalation_id": one.id}
        for one in escalations
        for login in one.recipients
    ]
    update_rows(tx, escalation_recipient, rows)


def set_reasons(tx: Transaction, escalation_ids: Collection[UUID], reason: str) -> None:
    """Replace the reason of escalations."""
    tx.connection.execute(update(escalation).where(any_of(e.id, escalation_ids)).values(reason=reason))


def set_notes(tx: Transaction, escalation_ids: Collection[UUID], note: str) -> None:
    """Replace the note of the acknowledgement of escalations."""
    changed = update(escalation).where(any_of(e.id, escalation_ids))
    tx.connection.execute(changed.values(acknowledged_note=note))


def settle_escalations(
    tx: Transaction, settled: Collection[UUID], ended: Collection[UUID], *, of_subjects: bool = False
) -> None:
    """Mark as settled the escalations of these deadlines, and all of these ended complaints (rule 3.8).

    With `of_subjects`, other subjects have ended.
    """
    owner = e.subject_id if of_subjects else e.complaint_id
    for column, ids in ((e.deadline_id, settled), (owner, ended)):
        if ids:
            statement = update(escalation).where(column.in_(ids), e.settled_at.is_(None))
            _take_from_inboxes(tx, statement.values(settled_at=tx.now).returning(e.id, e.recipients))


def unsettle_escalations(
    tx: Transaction, complaint_id: UUID, *, since: datetime, unmet: Collection[UUID]
) -> None:
    """Let the escalations of a complaint wait again that were settled at `since` or later (rule 1.9).

    They belong to these deadlines or to no deadline.
    """
    belongs = e.deadline_id.is_(None) | e.deadline_id.in_(unmet)
    found = update(escalation).where(e.complaint_id == complaint_id, e.settled_at >= since, belongs)
    changed = found.values(settled_at=None).returning(e.id, e.recipients, e.acknowledged_at)
    waiting = [row for row in tx.connection.execute(changed).all() if row.acknowledged_at is None]
    logins = {login for row in waiting for login in row.recipients}
    recipients = r.login.in_(logins), r.escalation_id.in_([row.id for row in waiting])
    tx.connection.execute(update(escalation_recipient).where(*recipients).values(waiting=True))


def _take_from_inboxes(tx: Transaction, changed: ReturningUpdate[tuple[UUID, list[str]]]) -> int:
    """Change escalations that then wait for nobody. Returns how many were changed."""
    rows = tx.connection.execute(changed).all()
    logins = {login for row in rows for login in row.recipients}
    if logins:
        found = r.login.in_(logins), r.escalation_id.in_([row.id for row in rows])
        tx.connection.execute(update(escalation_recipient).where(*found).values(waiting=False))
    return len(rows)
