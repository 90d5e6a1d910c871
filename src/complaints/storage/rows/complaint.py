"""The table of complaints. The first columns hold the facts; the others serve queries, the sweep and the history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    FunctionElement,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    cast,
    select,
    text,
)
from sqlalchemy.ext.compiler import compiles

from complaints.domain.complaint.facts import Complaint, Deadline, Hold, restore
from complaints.domain.complaint.history import HistoryEnd
from complaints.domain.complaint.members import PLAIN_MEMBERS, PlainKind, PlainMember
from complaints.domain.vocabulary import Cause, ContactOutcome, Nature, Outcome, PriorityReason, Status
from complaints.storage.database import bulk
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import PriorityRank, Serial, UtcDateTime, metadata, one_of


class DecimalText(TypeDecorator[Decimal]):
    """An exact amount of money, stored as text on both databases."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """The amount as decimal digits."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """The amount, with the same digits."""
        return None if value is None else Decimal(value)


class LastEventNumber(FunctionElement[int]):
    """On PostgreSQL: the number of the last event of all complaints, or a higher one. On SQLite: 0."""

    inherit_cache = True


@compiles(LastEventNumber)
def _no_number(_element: LastEventNumber, _compiler: Any, **_: Any) -> str:
    return "0"


@compiles(LastEventNumber, "postgresql")
def _last_number(_element: LastEventNumber, _compiler: Any, **_: Any) -> str:
    return "coalesce(pg_sequence_last_value('event_sequence_seq'::regclass), 0::bigint)"


class PriorityRaises(TypeDecorator[tuple[PriorityReason, ...]]):
    """The reasons that raised a priority, stored as one text. None of them is stored as NULL."""

    impl = String(200)
    cache_ok = True

    def process_bind_param(self, value: tuple[PriorityReason, ...] | None, dialect: Dialect) -> str | None:
        """The reasons with commas between."""
        return ",".join(value) if value else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Split the text into its reasons."""
        return _read_raises


@lru_cache  # few texts are different
def _read_raises(text: str | None) -> tuple[PriorityReason, ...]:
    return tuple(map(PriorityReason, text.split(","))) if text else ()


_COLUMN_TYPES: dict[PlainKind, Any] = {
    PlainKind.CODE: String(200),
    PlainKind.TEXT: Text,
    PlainKind.TAGS: JSON,
    PlainKind.ATTRIBUTES: JSON,
}


def _plain_column(member: PlainMember) -> Column[Any]:
    kind = one_of(member.choices, checked=False) if member.choices else _COLUMN_TYPES[member.kind]
    return Column(member.name, kind, nullable=not member.required)


# No foreign keys to reference data, which is never deleted, and no CHECK lists of words: PostgreSQL would check all of
# them for every post. `complaints check` finds a reference and a word that do not exist.
complaint = Table(
    "complaint",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("sequence", Serial, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("status", one_of(Status, checked=False), nullable=False),
    Column("cycle", Integer, nullable=False),
    *(_plain_column(member) for member in PLAIN_MEMBERS),
    Column("source", String(200), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("priority", PriorityRank, nullable=False),
    Column("priority_given", Boolean, nullable=False),
    Column("priority_raised_by", PriorityRaises),
    Column("category", String(200)),
    Column("cause", one_of(Cause, checked=False)),
    Column("nature", one_of(Nature, checked=False)),
    Column("team", String(200), nullable=False),
    Column("first_owner", String(200), nullable=False),
    Column("assignee", String(200)),
    Column("policy_code", String(200), nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("outcome", one_of(Outcome, checked=False)),
    Column("outcome_assumed", Boolean),  # true or null
    Column("resolution", Text),
    Column("root_cause", Text),
    Column("compensation_amount", DecimalText),
    Column("compensation_currency", String(3)),
    Column("resolved_at", UtcDateTime),
    Column("result_told_at", UtcDateTime),
    Column("contact_outcome", one_of(ContactOutcome, checked=False)),
    Column("unreachable_at", UtcDateTime),
    Column("csat", SmallInteger),
    Column("nps", SmallInteger),
    Column("ended_at", UtcDateTime),
    Column("merged_into", ForeignKey("complaint.id")),
    Column("external_ids", JSON),  # NULL if the complaint was made before there were such ids
    Column("policy_chosen_by", JSON),  # NULL if the complaint was made before policies stood side by side
    # Columns for queries, the sweep and the history. They follow from the facts and the deadlines.
    Column("next_due_at", UtcDateTime),
    Column("overdue_after_at", UtcDateTime),
    Column("wake_at", UtcDateTime),
    Column("parked_at", UtcDateTime),
    Column("escalation_level", SmallInteger, nullable=False),
    Column("history_count", Integer, nullable=False),
    Column("history_digest", LargeBinary(32), nullable=False),
    # All events of the complaint have a higher `sequence`: `storage.months` finds their first month by it.
    Column("events_after", BigInteger, nullable=False, server_default=LastEventNumber()),
    Column("import_id", Uuid),
    Column("import_digest", String(64)),
    # The digest of the words at intake. NULL if the complaint was made before there were digests.
    Column("words_digest", LargeBinary(32)),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("cycle >= 1", name="cycle"),
    CheckConstraint("priority BETWEEN 1 AND 4", name="priority"),
    CheckConstraint("csat BETWEEN 1 AND 5", name="csat"),
    CheckConstraint("nps BETWEEN 0 AND 10", name="nps"),
    CheckConstraint("(compensation_amount IS NULL) = (compensation_currency IS NULL)", name="compensation"),
    CheckConstraint("(status = 'merged') = (merged_into IS NOT NULL)", name="merged_into"),
    CheckConstraint(
        "(status IN ('closed', 'rejected', 'withdrawn', 'merged')) = (ended_at IS NOT NULL)", name="ended_at"
    ),
    CheckConstraint("ended_at IS NULL OR (next_due_at IS NULL AND wake_at IS NULL)", name="ended_is_still"),
)
c = complaint.c

# `external_id` comes first, because lists also filter by it alone.
Index("uq_complaint__external_id__source", c.external_id, c.source, unique=True)


def _partial(name: str, *columns: Any, where: Any, unique: bool = False) -> None:
    Index(name, *columns, unique=unique, postgresql_where=where, sqlite_where=where)


# Partial: posted complaints have no digest, so their intake does not pay for this index.
_partial("uq_complaint__import_digest", c.import_digest, where=c.import_digest.is_not(None), unique=True)
_partial("ix_complaint__wake", c.wake_at, c.id, where=c.wake_at.is_not(None) & c.parked_at.is_(None))
_partial("ix_complaint__parked", c.parked_at, where=c.parked_at.is_not(None))  # almost always empty
# The columns behind the id are for filters: the index answers them without reading the rows. Every index makes
# intake slower, so there are few.
_partial(
    "ix_complaint__overdue",
    c.overdue_after_at,
    c.id,
    c.team,
    c.priority,
    c.next_due_at,
    c.assignee,
    c.category,
    where=c.overdue_after_at.is_not(None),
)
_partial(
    "ix_complaint__overdue_by_assignee",
    c.assignee,
    c.overdue_after_at,
    c.id,
    where=c.assignee.is_not(None) & c.overdue_after_at.is_not(None),
)
_partial(
    "ix_complaint__queue",
    c.team,
    c.overdue_after_at,
    c.id,
    where=c.assignee.is_(None) & c.overdue_after_at.is_not(None),
)
Index("ix_complaint__next_due", c.next_due_at, c.id)
Index("ix_complaint__received", c.received_at, c.id, c.team, c.category, c.source)
Index("ix_complaint__team_received", c.team, c.received_at, c.id)
Index("ix_complaint__status_received", c.status, c.received_at, c.id, c.team)
_partial("ix_complaint__assignee_received", c.assignee, c.received_at, c.id, where=c.assignee.is_not(None))
# A literal 0: with a bound value the planner cannot prove that a query fits a partial index.
_partial(
    "ix_complaint__escalated", c.escalation_level, c.received_at, c.id, where=text("escalation_level > 0")
)
Index("ix_complaint__priority", c.priority, c.id)
_partial("ix_complaint__ended", c.ended_at, c.id, where=c.ended_at.is_not(None))
_partial("ix_complaint__csat", c.csat, c.id, where=c.csat.is_not(None))
_partial("ix_complaint__merged_into", c.merged_into, where=c.merged_into.is_not(None))

complaint_tag = Table(
    "complaint_tag",
    metadata,
    Column("complaint_id", ForeignKey("complaint.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", String(64), primary_key=True),
    Index("ix_complaint_tag__tag__complaint_id", "tag", "complaint_id"),
)

# The members of a complaint that are columns. Deadlines and holds have their own tables.
_PARTS = ("deadlines", "holds")
MEMBERS = tuple(f.name for f in fields(Complaint) if f.name not in _PARTS)
_ALL_MEMBERS = (*MEMBERS, *_PARTS)
_values = attrgetter(*MEMBERS)
# JSON is read as text: it is mostly empty, and then there is nothing to parse.
MEMBER_COLUMNS = tuple(
    cast(c[name], Text).label(name) if isinstance(c[name].type, JSON) else c[name] for name in MEMBERS
)
_COUNT = len(MEMBERS)
_LISTS = [MEMBERS.index(m.name) for m in PLAIN_MEMBERS if m.kind is PlainKind.TAGS]
_OBJECTS = [MEMBERS.index(m.name) for m in PLAIN_MEMBERS if m.kind is PlainKind.ATTRIBUTES]
_OBJECTS += [MEMBERS.index("external_ids"), MEMBERS.index("policy_chosen_by")]


@dataclass(frozen=True, slots=True)
class ComplaintRecord:
    """A complaint from the database, and the end of its history.

    All its events have a `sequence` above `events_after`.
    """

    complaint: Complaint
    history_end: HistoryEnd
    events_after: int = 0


# The columns that follow from the deadlines and holds of a complaint.
_DERIVED: dict[str, Callable[[Complaint], Any]] = {
    "next_due_at": attrgetter("next_due_at"),
    "overdue_after_at": attrgetter("overdue_after_at"),
    "wake_at": attrgetter("wake_at"),
    "escalation_level": lambda facts: max((d.level for d in facts.deadlines if d.unmet), default=0),
}


def values_of(facts: Complaint) -> dict[str, Any]:
    """The columns that follow from the facts of a complaint, by name."""
    values: dict[str, Any] = dict(zip(MEMBERS, _values(facts), strict=True))
    values["tags"] = list(facts.tags)
    values.update((name, derive(facts)) for name, derive in _DERIVED.items())
    return values


def changed_values(before: Complaint, after: Complaint) -> dict[str, Any]:
    """The columns that differ, with their new values. Members that are the same object are not looked at."""
    if before is after:
        return {}
    old, new = vars(before), vars(after)
    changed = {n: v for n, v in new.items() if v is not old[n] and n not in _PARTS and v != old[n]}
    if "tags" in changed:
        changed["tags"] = list(after.tags)
    if any(new[name] is not old[name] for name in _PARTS):
        derived = ((name, derive(before), derive(after)) for name, derive in _DERIVED.items())
        changed |= {name: value for name, was, value in derived if value != was}
    return changed


def fact_of(row: Sequence[Any], deadlines: Sequence[Deadline], holds: Sequence[Hold]) -> Complaint:
    """The complaint of a row that begins with `MEMBER_COLUMNS`, with its deadlines and holds."""
    return restore(Complaint, _ALL_MEMBERS, (*_read_members(row), tuple(deadlines), tuple(holds)))


def members_of(row: Sequence[Any]) -> dict[str, Any]:
    """The members of a row that begins with `MEMBER_COLUMNS`, by name. No fact is made."""
    return dict(zip(MEMBERS, _read_members(row), strict=True))


def _read_members(row: Sequence[Any]) -> list[Any]:
    members: list[Any] = [*row[:_COUNT]]
    for place in _LISTS:
        members[place] = () if members[place] == "[]" else tuple(from_json(members[place]))
    for place in _OBJECTS:
        members[place] = {} if members[place] in (None, "{}") else from_json(members[place])
    return members


def insert_rows(inserts: bulk.Inserts, rows: list[dict[str, Any]]) -> None:
    """Insert new complaints and index their tags."""
    inserts.add(complaint, rows)
    write_tags(inserts, [(row["id"], tag) for row in rows for tag in dict.fromkeys(row["tags"])])


def write_tags(inserts: bulk.Inserts, tagged: Sequence[tuple[UUID, str]]) -> None:
    """Index tags for the filter `tag`; `tagged` are pairs of a complaint and a tag."""
    inserts.add(complaint_tag, [{"complaint_id": i, "tag": t} for i, t in tagged])


def replace_tags(tx: Transaction, inserts: bulk.Inserts, complaint_id: UUID, tags: Sequence[str]) -> None:
    """Index the tags of one complaint, in place of its former tags."""
    tx.connection.execute(complaint_tag.delete().where(complaint_tag.c.complaint_id == complaint_id))
    write_tags(inserts, [(complaint_id, tag) for tag in dict.fromkeys(tags)])


def update_rows(tx: Transaction, rows: list[dict[str, Any]]) -> int:
    """Write changed columns of complaints; returns how many rows were written.

    Every row has the same columns, and `key_id` and `key_version`. A complaint is left out if its version is no
    longer `key_version`: someone else changed it.
    """
    return bulk.update_rows(tx, complaint, rows)


_HISTORY_END = (c.history_count, c.history_digest, c.events_after)
_FOUND = select(*MEMBER_COLUMNS, *_HISTORY_END, c.escalation_level).order_by(c.id)
# Others may still insert rows that refer to the complaint, because its key never changes.
_LOCKED = _FOUND.with_for_update(of=complaint, key_share=True)


def find_rows(tx: Transaction, *conditions: Any, lock: bool = False) -> Sequence[Any]:
    """The rows that fit all conditions, by id, with members and end of history.

    `lock` keeps other transactions from changing them until this one ends.
    """
    statement = _LOCKED if lock else _FOUND
    return tx.connection.execute(statement.where(*conditions)).all()
