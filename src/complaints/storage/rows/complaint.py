"""The row of a complaint: the members of the domain, and columns for queries, the sweep and the history."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
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
    ForeignKeyConstraint,
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

from complaints.domain.complaint.facts import Complaint, Deadline, Hold, restored
from complaints.domain.complaint.history import Tip
from complaints.domain.vocabulary import (
    Cause,
    Channel,
    ContactOutcome,
    Nature,
    Outcome,
    Severity,
    Status,
)
from complaints.storage.database import bulk
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import PriorityRank, Serial, UtcDateTime, metadata, one_of


class DecimalText(TypeDecorator[Decimal]):
    """An exact amount of money, stored as text on both databases."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Write plain digits."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """Read the exact amount."""
        return None if value is None else Decimal(value)


class LastEventNumber(FunctionElement[int]):
    """The `sequence` of the last event of all complaints, or a later number.

    It is 0 on SQLite, where the history has no months.
    """

    inherit_cache = True


@compiles(LastEventNumber)
def _compile_without_months(_element: LastEventNumber, _compiler: Any, **_: Any) -> str:
    return "0"


@compiles(LastEventNumber, "postgresql")
def _compile_with_months(_element: LastEventNumber, _compiler: Any, **_: Any) -> str:
    return "coalesce(pg_sequence_last_value('event_sequence_seq'::regclass), 0::bigint)"


complaint = Table(
    "complaint",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("sequence", Serial, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("status", one_of(Status), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("channel", one_of(Channel), nullable=False),
    Column("subject", Text, nullable=False),
    Column("description", Text),
    Column("source", String(200), nullable=False),
    Column("external_id", String(200)),
    Column("received_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("severity", one_of(Severity), nullable=False),
    Column("priority", PriorityRank, nullable=False),
    Column("priority_given", Boolean, nullable=False),
    Column("category", ForeignKey("category.code")),
    Column("cause", one_of(Cause)),
    Column("nature", one_of(Nature)),
    Column("region", String(200)),
    Column("service_type", String(200)),
    Column("service_id", String(200)),
    Column("tags", JSON, nullable=False),
    Column("attributes", JSON, nullable=False),
    Column("team", ForeignKey("team.code"), nullable=False),
    Column("first_owner", ForeignKey("user_account.login"), nullable=False),
    Column("assignee", ForeignKey("user_account.login")),
    Column("policy_code", String(200), nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("outcome", one_of(Outcome)),
    Column("resolution", Text),
    Column("root_cause", Text),
    Column("compensation_amount", DecimalText),
    Column("compensation_currency", String(3)),
    Column("resolved_at", UtcDateTime),
    Column("result_told_at", UtcDateTime),
    Column("contact_outcome", one_of(ContactOutcome)),
    Column("csat", SmallInteger),
    Column("nps", SmallInteger),
    Column("ended_at", UtcDateTime),
    Column("merged_into", ForeignKey("complaint.id")),
    # Columns for queries, the sweep and the history. All follow from the members and the deadlines.
    Column("next_due_at", UtcDateTime),
    Column("overdue_after_at", UtcDateTime),
    Column("wake_at", UtcDateTime),
    Column("parked_at", UtcDateTime),
    Column("escalation_level", SmallInteger, nullable=False),
    Column("history_count", Integer, nullable=False),
    Column("history_digest", LargeBinary(32), nullable=False),
    # Events of the complaint are numbered after its row is made. A search for them begins here (`storage.months`).
    Column("events_after", BigInteger, nullable=False, server_default=LastEventNumber()),
    Column("import_id", Uuid),
    Column("import_digest", String(64)),
    ForeignKeyConstraint(["policy_code", "policy_version"], ["policy.code", "policy.version"]),
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

# The external id comes first, because a filter may name it without a source.
Index("uq_complaint__external_id__source", c.external_id, c.source, unique=True)


def _partial(name: str, *columns: Any, where: Any, unique: bool = False) -> None:
    Index(name, *columns, unique=unique, postgresql_where=where, sqlite_where=where)


# Partial: a posted complaint has no digest, so its intake does not write to this index.
_partial("uq_complaint__import_digest", c.import_digest, where=c.import_digest.is_not(None), unique=True)
_partial("ix_complaint__wake", c.wake_at, c.id, where=c.wake_at.is_not(None) & c.parked_at.is_(None))
# The columns after the id let PostgreSQL filter in the index without reading the row.
_partial(
    "ix_complaint__overdue",
    c.overdue_after_at,
    c.id,
    c.team,
    c.priority,
    c.next_due_at,
    where=c.overdue_after_at.is_not(None),
)
_partial(
    "ix_complaint__overdue_by_assignee",
    c.assignee,
    c.overdue_after_at,
    c.id,
    where=c.assignee.is_not(None) & c.overdue_after_at.is_not(None),
)
Index("ix_complaint__next_due", c.next_due_at, c.id)
Index("ix_complaint__received", c.received_at, c.id, c.team, c.category, c.source)
Index("ix_complaint__team_received", c.team, c.received_at, c.id)
Index("ix_complaint__status_received", c.status, c.received_at, c.id, c.team)
_partial("ix_complaint__assignee_received", c.assignee, c.received_at, c.id, where=c.assignee.is_not(None))
# A literal, because a bound value cannot prove to the planner that the partial index serves.
_partial(
    "ix_complaint__escalated", c.escalation_level, c.received_at, c.id, where=text("escalation_level > 0")
)
Index("ix_complaint__priority", c.priority, c.id)
_partial("ix_complaint__merged_into", c.merged_into, where=c.merged_into.is_not(None))

complaint_tag = Table(
    "complaint_tag",
    metadata,
    Column("complaint_id", ForeignKey("complaint.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", String(64), primary_key=True),
    Index("ix_complaint_tag__tag__complaint_id", "tag", "complaint_id"),
)

# The members of a complaint that are columns. Deadlines and holds have their own tables.
MEMBERS = tuple(f.name for f in fields(Complaint) if f.name not in ("deadlines", "holds"))
_ALL_MEMBERS = (*MEMBERS, "deadlines", "holds")
_members_of = attrgetter(*MEMBERS)
# JSON is read as text: most often it is empty, and then nothing must be parsed.
MEMBER_COLUMNS = tuple(
    cast(c[name], Text).label(name) if name in ("tags", "attributes") else c[name] for name in MEMBERS
)
_COUNT, _TAGS, _ATTRIBUTES = len(MEMBERS), MEMBERS.index("tags"), MEMBERS.index("attributes")


@dataclass(frozen=True, slots=True)
class ComplaintRecord:
    """A complaint as stored, with the end of its history.

    The `sequence` of all its events is above `events_after`.
    """

    complaint: Complaint
    tip: Tip
    events_after: int = 0


def values_of(facts: Complaint) -> dict[str, Any]:
    """The columns of a complaint that follow from its facts."""
    values: dict[str, Any] = dict(zip(MEMBERS, _members_of(facts), strict=True))
    values["tags"] = list(facts.tags)
    values.update(
        next_due_at=facts.next_due_at,
        overdue_after_at=facts.overdue_after_at,
        wake_at=facts.wake_at,
        escalation_level=max((d.level for d in facts.deadlines if d.unmet), default=0),
    )
    return values


def fact_of(row: Sequence[Any], deadlines: Sequence[Deadline], holds: Sequence[Hold]) -> Complaint:
    """The complaint of a row that begins with `MEMBER_COLUMNS`, with its deadlines and holds."""
    members: list[Any] = [*row[:_COUNT]]
    members[_TAGS] = () if members[_TAGS] == "[]" else tuple(from_json(members[_TAGS]))
    members[_ATTRIBUTES] = {} if members[_ATTRIBUTES] == "{}" else from_json(members[_ATTRIBUTES])
    return restored(Complaint, _ALL_MEMBERS, (*members, tuple(deadlines), tuple(holds)))


def insert_rows(inserts: bulk.Inserts, rows: list[dict[str, Any]]) -> None:
    """Write new complaints and their tags."""
    inserts.add(complaint, rows)
    write_tags(inserts, [(row["id"], tag) for row in rows for tag in dict.fromkeys(row["tags"])])


def write_tags(inserts: bulk.Inserts, tagged: Sequence[tuple[UUID, str]]) -> None:
    """Write the tags of complaints for the filter `tag`."""
    inserts.add(complaint_tag, [{"complaint_id": i, "tag": t} for i, t in tagged])


def replace_tags(tx: Transaction, inserts: bulk.Inserts, complaint_id: UUID, tags: Sequence[str]) -> None:
    """Replace the tags of one complaint."""
    tx.connection.execute(complaint_tag.delete().where(complaint_tag.c.complaint_id == complaint_id))
    write_tags(inserts, [(complaint_id, tag) for tag in dict.fromkeys(tags)])


def update_rows(tx: Transaction, rows: list[dict[str, Any]]) -> int:
    """Write changed columns of complaints, and return how many complaints were written.

    All rows have the same columns, besides `key_id` and `key_version`. A complaint whose version is no longer
    `key_version` is not written.
    """
    return bulk.update_rows(tx, complaint, rows)


def find_rows(tx: Transaction, *conditions: Any, lock: bool = False) -> Sequence[Any]:
    """Rows with the members and the end of the history, ordered by id.

    `lock` keeps other transactions from changing them until this one ends.
    """
    history = (c.history_count, c.history_digest, c.events_after)
    statement = select(*MEMBER_COLUMNS, *history, c.escalation_level).where(*conditions)
    statement = statement.order_by(c.id)
    if lock:
        # FOR NO KEY UPDATE: other transactions may still insert rows that refer to the complaint.
        statement = statement.with_for_update(of=complaint, key_share=True)
    return tx.connection.execute(statement).all()
