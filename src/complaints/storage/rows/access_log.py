"""The access log: one row for each access to persons in clear that needs a reason. No row is ever changed.

It names the complaint and the reason, and no person, so it stays as it is after an erasure.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Table,
    Uuid,
    insert,
    literal,
    select,
    true,
    tuple_,
)

from complaints.domain.scope import Scope
from complaints.domain.vocabulary import AccessKind
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata, one_of
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.scope_condition import condition

access_log = Table(
    "access_log",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(210), nullable=False),
    Column("kind", one_of(AccessKind, checked=False), nullable=False),
    Column("complaint_id", ForeignKey("complaint.id")),  # NULL: an export of many complaints
    Column("reason", String(500), nullable=False),
)
a, c = access_log.c, complaint.c
Index("ix_access_log__at", a.at, a.id)
Index("ix_access_log__actor", a.actor, a.at, a.id)
Index("ix_access_log__complaint_id", a.complaint_id, a.at, a.id)
AccessPosition = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class Access:
    """One row of the access log: `actor` saw the persons of a complaint at `at` (UTC), for a reason.

    `complaint_id` is None for an export of many complaints.
    """

    id: UUID
    at: datetime
    actor: str
    kind: AccessKind
    complaint_id: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class ListedAccess(Access):
    """A row of the access log with the sequence of its complaint, if it is about one."""

    complaint_sequence: int | None


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """The rows that a caller asks for. None means any. `complaint` is an id or a sequence. `at_to` is excluded."""

    actor: str | None = None
    kind: AccessKind | None = None
    complaint: UUID | int | None = None
    at_from: datetime | None = None
    at_to: datetime | None = None


def write_access(tx: Transaction, access: Access) -> None:
    """Write a row. It is there if this transaction commits."""
    tx.connection.execute(insert(access_log).values(asdict(access)))


def list_accesses(
    tx: Transaction, asked: AccessFilter, *, scope: Scope, after: AccessPosition | None, limit: int
) -> Sequence[ListedAccess]:
    """Up to `limit` rows that fit, about complaints in `scope`, latest first. `after` is the end of the page before.

    A row about no complaint is only in the scope of all complaints.
    """
    statement = (
        select(access_log, c.sequence.label("complaint_sequence"))
        .outerjoin(complaint, c.id == a.complaint_id)
        .where(condition(scope, complaint), *_conditions(asked))
        .order_by(a.at.desc(), a.id.desc())
        .limit(limit)
    )
    if after is not None:
        place = tuple_(literal(after[0], UtcDateTime), literal(after[1], Uuid))
        statement = statement.where(tuple_(a.at, a.id) < place)
    return [ListedAccess(**row) for row in tx.connection.execute(statement).mappings()]


def _conditions(asked: AccessFilter) -> list[ColumnElement[bool]]:
    named = c.sequence if isinstance(asked.complaint, int) else c.id
    return [
        true() if asked.actor is None else a.actor == asked.actor,
        true() if asked.kind is None else a.kind == asked.kind,
        true() if asked.complaint is None else named == asked.complaint,
        true() if asked.at_from is None else a.at >= asked.at_from,
        true() if asked.at_to is None else a.at < asked.at_to,
    ]
