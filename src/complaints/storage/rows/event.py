"""The history: one row for each event, chained by digest for each complaint or other subject.

A row never changes, except that the texts of an event of the first form can be erased (`domain.complaint.texts`).

`sequence` numbers the events of all complaints in the order of commits. On PostgreSQL a lock is held from
numbering to commit, so both orders are the same. A reader that remembers the last number it saw misses no event.
The lock is taken last in a transaction, after all other locks, so it cannot be part of a deadlock.

On PostgreSQL the table is partitioned by ranges of `sequence`, one for each month (`storage.months`). A query names
the number after which its events come, so PostgreSQL does not look at earlier months.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    or_,
    select,
    update,
)

from complaints.domain.complaint.history import ChainedEvent
from complaints.domain.scope import Scope
from complaints.domain.vocabulary import EventType
from complaints.storage.database.bulk import insert_last
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import Serial, UtcDateTime, metadata, one_of_registered, one_subject
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.event_text import event_text
from complaints.storage.rows.scope_condition import condition, subject_condition
from complaints.storage.rows.subject import NAME_COLUMNS, subject

FEED_LOCK = 0x636F6D70  # any number that no other lock uses

event = Table(
    "event",
    metadata,
    Column("sequence", Serial, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False),
    Column("complaint_id", ForeignKey("complaint.id")),
    Column("subject_id", ForeignKey("subject.id")),
    Column("ordinal", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", one_of_registered(EventType), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(210), nullable=False),
    Column("data", Text, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    UniqueConstraint("complaint_id", "ordinal"),  # on PostgreSQL unique within a month
    one_subject(),
    sqlite_autoincrement=True,
    postgresql_partition_by="RANGE (sequence)",
)


def _select_with_texts(owner: str) -> Select[Any]:
    """The events whose owner is named by the column `owner`, with their texts."""
    kept = (event_text.c[owner] == event.c[owner]) & (event_text.c.ordinal == event.c.ordinal)
    return select(event, event_text.c.salt, event_text.c.texts).outerjoin(event_text, kept)


_WITH_TEXTS, _OF_SUBJECTS_WITH_TEXTS = _select_with_texts("complaint_id"), _select_with_texts("subject_id")


_OF_SUBJECTS = event.c.subject_id.is_not(None)
# Partial, so that events of complaints pay for no index more. On PostgreSQL each month has its own.
Index(
    "uq_event__subject_id_ordinal",
    event.c.subject_id,
    event.c.ordinal,
    unique=True,
    postgresql_where=_OF_SUBJECTS,
    sqlite_where=_OF_SUBJECTS,
)


def append_events(
    tx: Transaction,
    events: Sequence[tuple[UUID, UUID, ChainedEvent]],
    *,
    subject_ids: Collection[UUID] = frozenset(),
) -> None:
    """Write (event id, complaint id, event) in the given order, just before commit.

    An id among `subject_ids` is that of another subject. `Transaction.finish` writes them earlier.
    """
    rows = [
        {
            "id": event_id,
            "complaint_id": None if owner_id in subject_ids else owner_id,
            "subject_id": owner_id if owner_id in subject_ids else None,
            "ordinal": chained.ordinal,
            "version": chained.event.version,
            "type": chained.event.type,
            "at": chained.event.at,
            "actor": chained.event.actor,
            "data": chained.data,
            "digest": chained.digest,
        }
        for event_id, owner_id, chained in events
    ]
    insert_last(tx, event, rows, lock=FEED_LOCK)


def list_events(
    tx: Transaction,
    owner_id: UUID,
    *,
    after: int,
    limit: int,
    of_subject: bool = False,
    from_number: int = 0,
    below_number: int | None = None,
) -> Sequence[RowMapping]:
    """Up to `limit` events of one complaint after ordinal `after`, oldest first, with their texts.

    With `of_subject`: of another subject. Only events with `from_number <= sequence < below_number` count. None means
    no upper bound.
    """
    e = event.c
    with_texts, owner = (
        (_OF_SUBJECTS_WITH_TEXTS, e.subject_id) if of_subject else (_WITH_TEXTS, e.complaint_id)
    )
    statement = (
        with_texts.where(owner == owner_id, e.ordinal > after, e.sequence >= from_number)
        .order_by(e.ordinal)
        .limit(limit)
    )
    if below_number is not None:
        statement = statement.where(e.sequence < below_number)
    return tx.connection.execute(statement).mappings().all()


def find_last_event(tx: Transaction, complaint_id: UUID, event_type: EventType) -> RowMapping | None:
    """The latest event of this type in the history of one complaint, with its texts."""
    since = select(complaint.c.events_after).where(complaint.c.id == complaint_id)
    events_after = tx.connection.execute(since).scalar_one()
    statement = (
        _WITH_TEXTS.where(
            event.c.complaint_id == complaint_id,
            event.c.type == event_type,
            event.c.sequence > events_after,
        )
        .order_by(event.c.ordinal.desc())
        .limit(1)
    )
    return tx.connection.execute(statement).mappings().first()


def replace_data(tx: Transaction, sequence: int, data: str) -> None:
    """Write what is left of an event of the first form whose texts are erased. Its digest stays."""
    tx.connection.execute(update(event).where(event.c.sequence == sequence).values(data=data))


def list_changes(tx: Transaction, *, after: int, limit: int) -> Sequence[RowMapping]:
    """Up to `limit` events of all complaints after number `after`, in the order of commits."""
    statement = select(event).where(event.c.sequence > after).order_by(event.c.sequence).limit(limit)
    return tx.connection.execute(statement).mappings().all()


@dataclass(frozen=True, slots=True)
class FeedFilter:
    """The events that a reader of the feed asks for. None, or empty `types`, asks nothing.

    `source` and `team` are those of the complaint or other subject now. Only complaints have a source.
    """

    types: tuple[str, ...] = ()
    source: str | None = None
    team: str | None = None

    def fits(self, event_type: str, *, source: str | None, team: str | None) -> bool:
        """True if an event of this type, of a subject with this source and team, is asked for. As `list_feed`."""
        return (
            (not self.types or event_type in self.types)
            and self.source in (None, source)
            and self.team in (None, team)
        )


def list_feed(
    tx: Transaction, asked: FeedFilter, *, after: int, up_to: int, limit: int, scope: Scope
) -> Sequence[RowMapping]:
    """Up to `limit` events with numbers above `after` up to `up_to`, with name, team and users of their subject."""
    e, c = event.c, complaint.c
    team = func.coalesce(c.team, subject.c.team)
    statement = (
        select(event, *NAME_COLUMNS, c.source, c.external_id, c.assignee, c.first_owner, team.label("team"))
        .outerjoin(complaint, c.id == e.complaint_id)
        .outerjoin(subject, subject.c.id == e.subject_id)
        .where(
            e.sequence > after,
            e.sequence <= up_to,
            or_(condition(scope, complaint), subject_condition(scope)),
        )
        .order_by(e.sequence)
        .limit(limit)
    )
    if asked.types:
        statement = statement.where(e.type.in_(asked.types))
    if asked.source is not None:
        statement = statement.where(c.source == asked.source)
    if asked.team is not None:
        statement = statement.where(team == asked.team)
    return tx.connection.execute(statement).mappings().all()


def find_number_after(tx: Transaction, number: int, *, count: int) -> int | None:
    """The number of the event that comes `count` events after `number`; None if there are fewer events."""
    statement = select(event.c.sequence).where(event.c.sequence > number).order_by(event.c.sequence)
    return tx.connection.execute(statement.offset(count - 1).limit(1)).scalar_one_or_none()


def find_id(tx: Transaction, number: int) -> UUID | None:
    """The id of the event with this number; None if there is none."""
    return tx.connection.execute(select(event.c.id).where(event.c.sequence == number)).scalar_one_or_none()


def find_last_number(tx: Transaction, *, after: int = 0) -> int:
    """The number of the last event that this transaction sees; `after` if no event comes after it."""
    statement = select(func.max(event.c.sequence)).where(event.c.sequence > after)
    return tx.connection.execute(statement).scalar_one() or after
