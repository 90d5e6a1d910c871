"""The facts that figures count: read-optimised rows, kept by a follower of the history. See `domain.figures.facts`."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from operator import attrgetter
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Uuid,
    delete,
    select,
    text,
)

from complaints.domain.figures.facts import SHARED_MEMBERS, ComplaintFacts, FactKind, FigureFact
from complaints.storage.database import bulk
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import PriorityRank, UtcDateTime, metadata, one_of

figure_fact = Table(
    "figure_fact",
    metadata,
    Column("complaint_id", ForeignKey("complaint.id"), primary_key=True),
    Column("kind", one_of(FactKind, checked=False), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("day", Integer, nullable=False),
    Column("month", Integer, nullable=False),
    # The members of the complaint, as they are at the end of its known history.
    Column("sequence", BigInteger, nullable=False),
    Column("source", String(200), nullable=False),
    Column("team", String(200), nullable=False),
    Column("assignee", String(200)),
    Column("first_owner", String(200), nullable=False),
    Column("category", String(200)),
    Column("cause", String(40)),
    Column("nature", String(40)),
    Column("channel", String(40), nullable=False),
    Column("region", String(200)),
    Column("priority", PriorityRank, nullable=False),
    Column("is_imported", Boolean, nullable=False),
    Column("is_merged", Boolean, nullable=False),
    Column("received_day", Integer, nullable=False),
    # What a fact of this kind has.
    Column("until_day", Integer),
    Column("response_due_at", UtcDateTime),
    Column("response_in_time", Boolean),
    Column("due_at", UtcDateTime),
    Column("in_time", Boolean),
    Column("is_first", Boolean),
    Column("is_good", Boolean),
    Column("is_reopened", Boolean),
    Column("is_handed_over", Boolean),
    Column("is_omitted", Boolean),
    Column("microseconds", BigInteger),
    Column("outcome", String(40)),
    Column("is_assumed", Boolean),  # true or null
    Column("amount", BigInteger),
    Column("currency", String(3)),
    Column("csat", SmallInteger),
    Column("nps", SmallInteger),
    Column("level", SmallInteger),
    Column("holder", String(40)),
    Column("holder_team", String(200)),
    Column("holder_person", String(200)),
    Column("repeat_of", Uuid),
)
f = figure_fact.c
Index("ix_figure_fact__day", f.kind, f.day)
_IS_OPEN = text("until_day IS NULL AND kind IN ('received', 'reopened')")
Index("ix_figure_fact__open", f.kind, f.day, postgresql_where=_IS_OPEN, sqlite_where=_IS_OPEN)
Index(
    "ix_figure_fact__until_day",
    f.until_day,
    f.day,
    postgresql_where=f.until_day.is_not(None),
    sqlite_where=f.until_day.is_not(None),
)
Index(
    "ix_figure_fact__repeat_of",
    f.repeat_of,
    postgresql_where=f.repeat_of.is_not(None),
    sqlite_where=f.repeat_of.is_not(None),
)
_OWN = tuple(one.name for one in fields(FigureFact))
_values = attrgetter(*_OWN)
_SHARED = (*SHARED_MEMBERS, "is_imported", "is_merged", "received_day")
_NAMES = ("complaint_id", *_SHARED, *_OWN)
_OF_RECEIPT = f.kind == FactKind.RECEIVED


def pack_facts(dialect: Dialect, found: Iterable[ComplaintFacts]) -> bulk.PackedRows:
    """The facts of complaints as rows that `insert_facts` takes."""
    rows = []
    for one in found:
        shared = (one.complaint_id, *(one.members[name] for name in _SHARED))
        rows += [shared + _values(fact) for fact in one.facts]
    return bulk.pack_rows(dialect, figure_fact, _NAMES, rows)


def insert_facts(
    tx: Transaction, packed: Iterable[bulk.PackedRows], repeats: Mapping[UUID, UUID | None]
) -> None:
    """Write the facts of complaints that have none. `repeats` has the earlier complaint of each."""
    bulk.insert_packed(tx, figure_fact, _NAMES, packed)
    set_repeats(tx, {one: other for one, other in repeats.items() if other is not None})


def remove_facts(tx: Transaction, complaint_ids: Collection[UUID]) -> None:
    """Delete the facts of complaints."""
    tx.connection.execute(delete(figure_fact).where(any_of(f.complaint_id)), {"ids": complaint_ids})


def find_repeats(tx: Transaction, complaint_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The earlier complaint that each of these complaints repeats. Others are left out."""
    statement = select(f.complaint_id, f.repeat_of).where(
        any_of(f.complaint_id), _OF_RECEIPT, f.repeat_of.is_not(None)
    )
    return {row[0]: row[1] for row in tx.connection.execute(statement, {"ids": complaint_ids})}


def find_repeating(tx: Transaction, complaint_ids: Collection[UUID]) -> set[UUID]:
    """The complaints that repeat one of these."""
    statement = select(f.complaint_id).where(any_of(f.repeat_of))
    return set(tx.connection.execute(statement, {"ids": complaint_ids}).scalars())


def set_repeats(tx: Transaction, repeats: Mapping[UUID, UUID | None]) -> None:
    """Write the earlier complaint that each of these complaints repeats; None: it repeats none."""
    rows = [
        {"key_complaint_id": complaint_id, "key_kind": FactKind.RECEIVED, "repeat_of": repeat_of}
        for complaint_id, repeat_of in repeats.items()
    ]
    bulk.update_rows(tx, figure_fact, rows)
