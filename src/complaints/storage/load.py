"""Whole complaints: their rows with deadlines and holds."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select

from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.history import HistoryEnd
from complaints.domain.complaint.numbers import is_mistyped, parse_reference
from complaints.domain.errors import NotFound
from complaints.domain.rules.intake import NewComplaint
from complaints.domain.scope import ALL_COMPLAINTS, Scope
from complaints.storage.database.any_of import any_of
from complaints.storage.database.look_ups import LookUp, Rows
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import ComplaintRecord, complaint, fact_of, find_rows
from complaints.storage.rows.deadline import find_deadlines, find_holds
from complaints.storage.rows.scope_condition import condition

Reference = str | UUID | int
"""What names a complaint: its id, its number, or its sequence."""

_KNOWN_BY = ("source", "external_id", "import_digest")
_known_by = attrgetter(*_KNOWN_BY)


class ComplaintOwners(NamedTuple):
    """The users who have a complaint now. All its events have a `sequence` above `events_after`."""

    id: UUID
    assignee: str | None
    first_owner: str
    events_after: int


class HistoryExtent(NamedTuple):
    """The length of a complaint's history, and the place where to look for its events.

    `events` is the number of its events. Each has a `sequence` above `events_after`, so a query need not read the
    months before.
    """

    complaint_id: UUID
    events_after: int
    events: int


def load_complaint(
    tx: Transaction, reference: Reference, *, scope: Scope, lock: bool = False
) -> ComplaintRecord:
    """The complaint with this id or number, within `scope`. Raises NotFound.

    `lock` keeps other transactions from changing it until this one ends.
    """
    found = find_complaints(tx, _is_named(reference), condition(scope, complaint), lock=lock)
    if not found:
        raise _unknown(reference)
    return found[0]


def load_complaints(tx: Transaction, ids: Collection[UUID], *, lock: bool = False) -> list[ComplaintRecord]:
    """The complaints with these ids, ordered by id. `lock` as in `load_complaint`."""
    return load_parts(tx, find_rows(tx, any_of(complaint.c.id, ids), lock=lock))


def load_id(tx: Transaction, reference: Reference, *, scope: Scope) -> UUID:
    """The id of the complaint with this id or number, within `scope`. Raises NotFound."""
    complaint_id: UUID = _load_columns(tx, reference, scope, complaint.c.id)[0]
    return complaint_id


def load_owners(tx: Transaction, reference: Reference) -> ComplaintOwners:
    """The owners of the complaint with this id or number, whatever the scope of the caller. Raises NotFound."""
    c = complaint.c
    columns = (c.id, c.assignee, c.first_owner, c.events_after)
    return ComplaintOwners(*_load_columns(tx, reference, ALL_COMPLAINTS, *columns))


def find_ids(tx: Transaction, references: Collection[str], *, scope: Scope) -> dict[str, UUID]:
    """The ids of the complaints within `scope` that these ids and numbers name. The others are left out."""
    named = {reference: _name_of(reference) for reference in references}
    sequences = [name for name in named.values() if isinstance(name, int)]
    ids = [name for name in named.values() if isinstance(name, UUID)]
    c = complaint.c
    statement = select(c.id, c.sequence).where(
        or_(c.sequence.in_(sequences), any_of(c.id, ids)), condition(scope, complaint)
    )
    found: dict[int | UUID | None, UUID] = {}
    for complaint_id, sequence in tx.connection.execute(statement):
        found[complaint_id] = found[sequence] = complaint_id
    return {reference: found[name] for reference, name in named.items() if name in found}


def load_history_extent(tx: Transaction, reference: str, *, scope: Scope) -> HistoryExtent:
    """The extent of the history of the complaint with this id or number, within `scope`. Raises NotFound."""
    c = complaint.c
    return HistoryExtent(*_load_columns(tx, reference, scope, c.id, c.events_after, c.history_count))


def _load_columns(tx: Transaction, reference: Reference, scope: Scope, *columns: Any) -> Sequence[Any]:
    statement = select(*columns).where(_is_named(reference), condition(scope, complaint))
    found = tx.connection.execute(statement).first()
    if found is None:
        raise _unknown(reference)
    return found


def _unknown(reference: Reference) -> NotFound:
    return NotFound(f"There is no complaint {str(reference)[:100]!r}.")


def lock_in_order(tx: Transaction, references: Sequence[str]) -> None:
    """Lock several complaints in the order of their ids, so that two callers cannot wait for each other.

    A reference that names no complaint is passed over: loading it refuses it.
    """
    named = []
    for reference in references:
        with suppress(NotFound):
            named.append(_is_named(reference))
    if named:
        statement = select(complaint.c.id).where(or_(*named)).order_by(complaint.c.id)
        tx.connection.execute(statement.with_for_update(key_share=True)).all()


def find_complaints(tx: Transaction, *conditions: Any, lock: bool = False) -> list[ComplaintRecord]:
    """The complaints that fit all conditions, with their deadlines and holds, ordered by id."""
    return load_parts(tx, find_rows(tx, *conditions, lock=lock))


def find_sequences(tx: Transaction, *, after: int, limit: int) -> list[int]:
    """The sequences of the next complaints after one, ascending."""
    s = complaint.c.sequence
    return list(tx.connection.execute(select(s).where(s > after).order_by(s).limit(limit)).scalars())


def lock_by_sequence(tx: Transaction, sequences: Sequence[int]) -> list[Complaint]:
    """The complaints with these sequences, locked, ordered by id, without their deadlines and holds."""
    bounds = (complaint.c.sequence >= sequences[0], complaint.c.sequence <= sequences[-1])
    return [fact_of(row, (), ()) for row in find_rows(tx, *bounds, lock=True)]


def load_parts(tx: Transaction, rows: Sequence[Any]) -> list[ComplaintRecord]:
    """The complaints of these rows, in the order of the rows: reads their deadlines and holds."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    deadlines, holds = find_deadlines(tx, ids), find_holds(tx, ids)
    return [
        ComplaintRecord(
            fact_of(row, deadlines.get(row.id, ()), holds.get(row.id, ())),
            HistoryEnd(row.history_count, row.history_digest),
            row.events_after,
        )
        for row in rows
    ]


def _is_named(reference: Reference) -> ColumnElement[bool]:
    """The condition that a complaint has this id or number. Raises NotFound for any other text."""
    name = _name_of(reference) if isinstance(reference, str) else reference
    if name is None:
        if is_mistyped(str(reference)):
            raise NotFound(f"{reference!r} is mistyped: its check digit does not fit. Read the number again.")
        raise NotFound(f"{str(reference)[:100]!r} is neither the id nor the number of a complaint.")
    return complaint.c.id == name if isinstance(name, UUID) else complaint.c.sequence == name


def _name_of(reference: str) -> UUID | int | None:
    """The id or the sequence that a text names; None if it is neither."""
    with suppress(ValueError):
        return parse_reference(reference)
    return None


class Registrations(NamedTuple):
    """The complaints that have the names of new ones.

    `received` has the id of the registered complaint, or a new number, for each new complaint in order. `holders` are
    the complaints that have their other external ids, by system and external id.
    """

    received: list[UUID | int]
    holders: dict[tuple[str, str], UUID]


# Each name is looked up by a subquery, so that it reads one index entry. In a join, the planner would scan the table
# while it is small.
_FIND_OR_NUMBER = {
    "postgresql": """
        SELECT posted, CASE WHEN posted IS NULL AND numbered THEN nextval('complaint_sequence') END AS number
        FROM (
            SELECT place, numbered, coalesce(
                (SELECT id FROM complaint WHERE external_id = asked.external_id AND source = asked.source),
                (SELECT complaint_id FROM complaint_external_id
                 WHERE external_id = asked.external_id AND system = asked.source),
                (SELECT id FROM complaint WHERE import_digest = asked.import_digest)
            ) AS posted
            FROM ROWS FROM (
                json_to_recordset(%s) AS (source text, external_id text, import_digest text, numbered boolean)
            ) WITH ORDINALITY AS asked(source, external_id, import_digest, numbered, place)
            OFFSET 0
        ) AS looked_up
        ORDER BY place
    """,
    "sqlite": """
        SELECT posted, CASE WHEN posted IS NULL AND numbered THEN
            (SELECT coalesce(max(sequence), 0) FROM complaint)
            + sum(posted IS NULL AND numbered) OVER (ORDER BY place) END
        FROM (
            SELECT key AS place, value ->> 'numbered' AS numbered, coalesce(
                (SELECT id FROM complaint
                 WHERE external_id = value ->> 'external_id' AND source = value ->> 'source'),
                (SELECT complaint_id FROM complaint_external_id
                 WHERE external_id = value ->> 'external_id' AND system = value ->> 'source'),
                (SELECT id FROM complaint WHERE import_digest = value ->> 'import_digest')
            ) AS posted
            FROM json_each(?)
        )
        ORDER BY place
    """,
}


def ask_for_registrations(new: Sequence[NewComplaint]) -> LookUp[Registrations]:
    """Find each complaint that was registered before, and give a new number to each other one.

    A complaint is known by an external id of its source, or by the digest of an imported row. Numbers ascend. Some
    may never be used.
    """
    named = [dict(zip(_KNOWN_BY, _known_by(one), strict=True)) | {"numbered": True} for one in new]
    others = [pair for one in new for pair in one.external_ids.items()]
    held = [{"source": system, "external_id": name, "numbered": False} for system, name in others]

    def read(rows: Rows) -> Registrations:
        found = [number if posted is None else UUID(posted) for posted, number in rows]
        holders = zip(others, found[len(new) :], strict=True)
        return Registrations(
            found[: len(new)], {pair: holder for pair, holder in holders if holder is not None}
        )

    return LookUp(_FIND_OR_NUMBER, [*named, *held], read)


def find_outside(tx: Transaction, complaint_ids: Collection[UUID], *, scope: Scope) -> set[UUID]:
    """Those of these complaints that are outside `scope`."""
    if not complaint_ids:
        return set()
    within = condition(scope, complaint)
    # Without an assignee the condition is NULL, and so is its opposite.
    statement = select(complaint.c.id).where(
        any_of(complaint.c.id, complaint_ids), or_(~within, within.is_(None))
    )
    return set(tx.connection.execute(statement).scalars())


def find_sources(tx: Transaction, complaint_ids: Collection[UUID]) -> dict[UUID, str]:
    """The source of each of these complaints. An id of anything else is left out."""
    if not complaint_ids:
        return {}
    statement = select(complaint.c.id, complaint.c.source).where(any_of(complaint.c.id, complaint_ids))
    return {row.id: row.source for row in tx.connection.execute(statement)}


def take_numbers(tx: Transaction, amount: int) -> list[int]:
    """New numbers, ascending. All complaints that got a number in this transaction are written already."""
    if not amount:
        return []
    if tx.connection.dialect.name == "postgresql":
        statement = select(func.nextval("complaint_sequence")).select_from(func.generate_series(1, amount))
        return list(tx.connection.execute(statement).scalars())
    # SQLite has no sequences, but one writer at a time.
    last = tx.connection.execute(select(func.max(complaint.c.sequence))).scalar_one() or 0
    return list(range(last + 1, last + 1 + amount))
