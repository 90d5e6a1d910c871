"""Deadlines, the holds that pause them, and promises."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Select,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    bindparam,
    cast,
    select,
    text,
    update,
)

from complaints.domain.complaint.facts import Deadline, Hold, Promise, restore
from complaints.domain.time.notation import parse_target, target_text
from complaints.domain.vocabulary import DeadlineKind, DeadlineStatus, HoldReason
from complaints.storage.database import bulk
from complaints.storage.database.any_of import any_of
from complaints.storage.database.plain_rows import rows_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata, one_of, one_of_registered, one_subject

deadline = Table(
    "deadline",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("complaint_id", ForeignKey("complaint.id")),
    Column("subject_id", ForeignKey("subject.id")),
    Column("policy_code", String(200), nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("kind", one_of_registered(DeadlineKind), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("sequence", SmallInteger, nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("status", one_of(DeadlineStatus, checked=False), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("target", String(100)),
    Column("due_at", UtcDateTime, nullable=False),
    Column("met_at", UtcDateTime),
    Column("breached_at", UtcDateTime),
    Column("paused_seconds", Integer, nullable=False),
    Column("paused_until", UtcDateTime),
    Column("level", SmallInteger, nullable=False),
    Column("steps_taken", JSON, nullable=False),
    Column("wake_at", UtcDateTime),
    Column("repetitions", Integer, nullable=False, server_default=text("0")),
    Column("acknowledged_at", UtcDateTime),
    UniqueConstraint("complaint_id", "kind", "cycle", "sequence", "attempt"),
    one_subject(),
    CheckConstraint("(status IN ('met', 'met_late')) = (met_at IS NOT NULL)", name="met_has_time"),
    CheckConstraint("status <> 'met' OR met_at <= due_at", name="met_in_time"),
    CheckConstraint("status <> 'met_late' OR met_at > due_at", name="met_late"),
    CheckConstraint(
        "status NOT IN ('breached', 'met_late') OR breached_at IS NOT NULL", name="breach_has_time"
    ),
    CheckConstraint("(status = 'paused') = (paused_until IS NOT NULL)", name="paused_has_end"),
    CheckConstraint(
        "status NOT IN ('met', 'met_late', 'cancelled') OR wake_at IS NULL", name="done_is_still"
    ),
    CheckConstraint("cycle >= 1 AND sequence >= 1 AND attempt >= 1", name="counts"),
    CheckConstraint("paused_seconds >= 0", name="paused_seconds"),
)
d = deadline.c
_UNMET = [DeadlineStatus.RUNNING, DeadlineStatus.PAUSED, DeadlineStatus.BREACHED]
# Literals: bound values cannot prove that the partial index serves. SQLite also needs the order of the index.
UNMET = d.status.in_(bindparam("unmet", _UNMET, expanding=True, literal_execute=True))
Index(
    "ix_deadline__unmet_by_kind",
    d.kind,
    d.due_at,
    d.complaint_id,
    # With these two columns, deadlines that are soon due are counted from the index alone.
    d.status,
    d.paused_until,
    postgresql_where=d.status.in_(_UNMET),
    sqlite_where=d.status.in_(_UNMET),
)
_OF_SUBJECTS = d.subject_id.is_not(None)
# Partial, so that deadlines of complaints pay for no index more.
Index(
    "uq_deadline__subject_id_kind_cycle_sequence_attempt",
    d.subject_id,
    d.kind,
    d.cycle,
    d.sequence,
    d.attempt,
    unique=True,
    postgresql_where=_OF_SUBJECTS,
    sqlite_where=_OF_SUBJECTS,
)
# A literal, as above. Intake does not pay for this index.
MET_LATE = text("status = 'met_late'")
Index("ix_deadline__met_late", d.complaint_id, postgresql_where=MET_LATE, sqlite_where=MET_LATE)

hold = Table(
    "hold",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("complaint_id", ForeignKey("complaint.id"), nullable=False, index=True),
    Column("cycle", Integer, nullable=False),
    Column("reason", one_of(HoldReason), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("until_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    CheckConstraint("until_at > started_at", name="ends_after_start"),
    CheckConstraint("ended_at IS NULL OR ended_at >= started_at", name="ended_after_start"),
)
Index(
    "uq_hold__lasting",
    hold.c.complaint_id,
    unique=True,
    postgresql_where=hold.c.ended_at.is_(None),
    sqlite_where=hold.c.ended_at.is_(None),
)

promise = Table(
    "promise",
    metadata,
    Column("id", ForeignKey("deadline.id"), primary_key=True),
    Column("text", Text, nullable=False),
    Column("made_by", String(210), nullable=False),
)

_MEMBERS = tuple(f.name for f in fields(Deadline))
_members_of = attrgetter(*_MEMBERS)
# The steps are read as text: most often there are none, and then nothing must be parsed.
_MEMBER_COLUMNS = tuple(cast(d.steps_taken, Text) if name == "steps_taken" else d[name] for name in _MEMBERS)
_TARGET, _STEPS = _MEMBERS.index("target"), _MEMBERS.index("steps_taken")
_read_target = lru_cache(parse_target)  # policies name few different targets
_HOLD_MEMBERS = tuple(f.name for f in fields(Hold))


def values_of(fact: Deadline) -> dict[str, Any]:
    """The columns of a deadline."""
    values: dict[str, Any] = dict(zip(_MEMBERS, _members_of(fact), strict=True))
    values["target"] = target_text(fact.target) if fact.target else None
    values["steps_taken"] = list(fact.steps_taken)
    return values


def _fact_of(row: Sequence[Any]) -> Deadline:
    """The deadline of a row. The first column of the row is the id of the complaint or other subject."""
    values: list[Any] = [*row[1:]]
    values[_TARGET] = _read_target(values[_TARGET]) if values[_TARGET] else None
    values[_STEPS] = () if values[_STEPS] == "[]" else tuple(from_json(values[_STEPS]))
    return restore(Deadline, _MEMBERS, values)


def _select_of(owner: Any) -> Select[Any]:
    """The deadlines of many complaints or other subjects. `owner` is the column of their ids."""
    statement = select(owner, *_MEMBER_COLUMNS).where(any_of(owner))
    return statement.order_by(owner, d.cycle, d.started_at, d.due_at, d.id)


_OF_COMPLAINTS, _OF_OTHERS = _select_of(d.complaint_id), _select_of(d.subject_id)


def find_deadlines(tx: Transaction, complaint_ids: Collection[UUID]) -> dict[UUID, list[Deadline]]:
    """The deadlines of complaints, by complaint id, in the order in which they were started."""
    return _find(tx, _OF_COMPLAINTS, complaint_ids)


def find_subject_deadlines(tx: Transaction, subject_ids: Collection[UUID]) -> dict[UUID, list[Deadline]]:
    """The deadlines of other subjects, by subject id, in the order in which they were started."""
    return _find(tx, _OF_OTHERS, subject_ids)


def _find(tx: Transaction, statement: Select[Any], owner_ids: Collection[UUID]) -> dict[UUID, list[Deadline]]:
    found: dict[UUID, list[Deadline]] = defaultdict(list)
    for row in tx.connection.execute(statement, {"ids": owner_ids}).all():
        found[row[0]].append(_fact_of(row))
    return found


def find_deadline_rows(tx: Transaction, complaint_ids: Collection[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """The columns of deadlines by name, by complaint id, in the order of `find_deadlines`. No fact is made."""
    found: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for complaint_id, *values in rows_of(tx, _OF_COMPLAINTS, complaint_ids):
        found[complaint_id].append(dict(zip(_MEMBERS, values, strict=True)))
    return found


_HOLDS = (
    select(hold.c.complaint_id, *(hold.c[name] for name in _HOLD_MEMBERS))
    .where(any_of(hold.c.complaint_id))
    .order_by(hold.c.started_at)
)


def find_holds(tx: Transaction, complaint_ids: Collection[UUID]) -> dict[UUID, list[Hold]]:
    """The holds of complaints, by complaint id, oldest first."""
    found: dict[UUID, list[Hold]] = defaultdict(list)
    for complaint_id, *members in tx.connection.execute(_HOLDS, {"ids": complaint_ids}).all():
        found[complaint_id].append(Hold(*members))
    return found


def insert_deadlines(inserts: bulk.Inserts, rows: list[dict[str, Any]]) -> None:
    """Write new deadlines. A row has `values_of` the deadline, and `complaint_id` or `subject_id`."""
    inserts.add(deadline, rows)


_CHANGEABLE = tuple(
    name for name in _MEMBERS if name not in ("id", "kind", "cycle", "sequence", "attempt", "started_at")
)


def update_deadlines(tx: Transaction, changed: Sequence[Deadline]) -> None:
    """Write changed deadlines."""
    values = [(fact.id, values_of(fact)) for fact in changed]
    bulk.update_rows(tx, deadline, [{"key_id": i, **{k: v[k] for k in _CHANGEABLE}} for i, v in values])


def insert_holds(inserts: bulk.Inserts, rows: list[tuple[UUID, Hold]]) -> None:
    """Write new holds with the ids of their complaints."""
    values = [{"complaint_id": i} | {name: getattr(h, name) for name in _HOLD_MEMBERS} for i, h in rows]
    inserts.add(hold, values)


def end_holds(tx: Transaction, ended: Sequence[Hold]) -> None:
    """Write the ends of holds."""
    bulk.update_rows(tx, hold, [{"key_id": h.id, "ended_at": h.ended_at} for h in ended])


def insert_promises(inserts: bulk.Inserts, made: Sequence[Promise]) -> None:
    """Write promises. Their deadlines must be written before."""
    inserts.add(promise, [{"id": p.id, "text": p.text, "made_by": p.made_by} for p in made])


def set_promise_texts(tx: Transaction, deadline_ids: Collection[UUID], text: str) -> None:
    """Replace the text of promises."""
    tx.connection.execute(update(promise).where(any_of(promise.c.id, deadline_ids)).values(text=text))


def find_promises(tx: Transaction, deadline_ids: Collection[UUID]) -> dict[UUID, Promise]:
    """Promises, by the id of their deadline."""
    statement = select(promise).where(promise.c.id.in_(deadline_ids))
    return {row["id"]: Promise(**row) for row in tx.connection.execute(statement).mappings()}
