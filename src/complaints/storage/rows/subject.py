"""The table of subjects that are no complaints. The members of an annex stand in tables of the annex."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    func,
    select,
)

from complaints.domain.complaint.facts import Deadline, restore
from complaints.domain.complaint.history import HistoryEnd
from complaints.domain.complaint.numbers import number_of
from complaints.domain.complaint.subject import COMPLAINT_KIND, Subject, SubjectName
from complaints.storage.database import bulk
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata
from complaints.storage.rows.complaint import LastEventNumber, complaint

_NUMBERS_LOCK = 0x7375626A  # any number that no other lock uses

subject = Table(
    "subject",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("number", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", String(40), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("team", ForeignKey("team.code"), nullable=False),
    Column("owner", ForeignKey("user_account.login"), nullable=False),
    Column("policy_code", String(200), nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("ended_at", UtcDateTime),
    # Columns for the sweep and the history, as in the table of complaints.
    Column("wake_at", UtcDateTime),
    Column("parked_at", UtcDateTime),
    Column("history_count", Integer, nullable=False),
    Column("history_digest", LargeBinary(32), nullable=False),
    Column("events_after", BigInteger, nullable=False, server_default=LastEventNumber()),
    ForeignKeyConstraint(["policy_code", "policy_version"], ["policy.code", "policy.version"]),
    UniqueConstraint("kind", "sequence"),
    UniqueConstraint("number"),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("cycle >= 1", name="cycle"),
    CheckConstraint("ended_at IS NULL OR wake_at IS NULL", name="ended_is_still"),
)
s = subject.c
_ASLEEP = s.wake_at.is_not(None) & s.parked_at.is_(None)
Index("ix_subject__wake", s.wake_at, s.id, postgresql_where=_ASLEEP, sqlite_where=_ASLEEP)
_PARKED = s.parked_at.is_not(None)
Index("ix_subject__parked", s.parked_at, postgresql_where=_PARKED, sqlite_where=_PARKED)
Index("ix_subject__team", s.team, s.id)
_OPEN = s.ended_at.is_(None)
Index("ix_subject__open_by_owner", s.owner, s.id, postgresql_where=_OPEN, sqlite_where=_OPEN)

MEMBERS = tuple(f.name for f in fields(Subject) if f.name != "deadlines")
_ALL_MEMBERS = (*MEMBERS, "deadlines")
_members_of = attrgetter(*MEMBERS)
MEMBER_COLUMNS = tuple(s[name] for name in MEMBERS)


@dataclass(frozen=True, slots=True)
class SubjectRecord:
    """A subject from the database, and the end of its history.

    All its events have a `sequence` above `events_after`.
    """

    subject: Subject
    history_end: HistoryEnd
    events_after: int = 0


def values_of(fact: Subject) -> dict[str, Any]:
    """The columns that follow from a subject, by name."""
    return dict(zip(MEMBERS, _members_of(fact), strict=True)) | {"wake_at": fact.wake_at}


def fact_of(row: Sequence[Any], deadlines: Sequence[Deadline]) -> Subject:
    """The subject of a row that begins with `MEMBER_COLUMNS`, with its deadlines."""
    return restore(Subject, _ALL_MEMBERS, (*row[: len(MEMBERS)], tuple(deadlines)))


def find_rows(tx: Transaction, *conditions: Any, lock: bool = False) -> Sequence[Any]:
    """The rows that fit all conditions, by id, with members and end of history.

    `lock` keeps other transactions from changing them until this one ends.
    """
    statement = select(*MEMBER_COLUMNS, s.history_count, s.history_digest, s.events_after).where(*conditions)
    statement = statement.order_by(s.id)
    if lock:
        statement = statement.with_for_update(of=subject, key_share=True)
    return tx.connection.execute(statement).all()


def insert_rows(inserts: bulk.Inserts, rows: list[dict[str, Any]]) -> None:
    """Insert new subjects."""
    inserts.add(subject, rows)


def update_rows(tx: Transaction, rows: list[dict[str, Any]]) -> int:
    """Write changed columns of subjects; returns how many rows were written.

    Every row has the same columns, and `key_id` and `key_version`. A subject is left out if its version is no longer
    `key_version`.
    """
    return bulk.update_rows(tx, subject, rows)


def take_sequence(tx: Transaction, kind: str) -> int:
    """The next running number of a kind. No other transaction takes one until this one ends."""
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(select(func.pg_advisory_xact_lock(_NUMBERS_LOCK)))
    last = select(func.max(s.sequence)).where(s.kind == kind)
    return (tx.connection.execute(last).scalar_one() or 0) + 1


# Subjects of all kinds, complaints among them -------------------------------------------------------------------------

NAME_COLUMNS = (
    complaint.c.sequence.label("complaint_sequence"),
    s.kind.label("subject_kind"),
    s.number.label("subject_number"),
)
"""The columns that name the subject of a row with `complaint_id` and `subject_id`, joined to both tables."""


def name_of(row: Mapping[Any, Any]) -> SubjectName:
    """The name of the subject of a row that has `NAME_COLUMNS`."""
    if row["complaint_id"] is not None:
        return SubjectName(COMPLAINT_KIND, row["complaint_id"], number_of(row["complaint_sequence"]))
    return SubjectName(row["subject_kind"], row["subject_id"], row["subject_number"])
