"""Lists of complaints: filters, orders, pages by keyset. Every order has an index; see `storage.complaint`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    exists,
    false,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)

from complaints.domain.complaint import UNMET_STATUSES, Complaint
from complaints.domain.search_terms import Term
from complaints.domain.vocabulary import Cause, Channel, DeadlineKind, DeadlineStatus, Priority, Status
from complaints.storage import search
from complaints.storage.complaint import MEMBERS, complaint, complaint_tag, fact_of
from complaints.storage.deadline import deadline, find_deadlines
from complaints.storage.party import COMPLAINANT, party
from complaints.storage.unit_of_work import Transaction

c, d, p = complaint.c, deadline.c, party.c
# Literal, so that the planner sees that the partial index serves.
UNMET = d.status.in_(bindparam("unmet", sorted(UNMET_STATUSES), expanding=True, literal_execute=True))


class SortKey(StrEnum):
    """What a list may be ordered by. `priority`: most pressing first."""

    NEXT_DUE_AT = "next_due_at"
    RECEIVED_AT = "received_at"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list; ties go by id. Complaints without a due time come last both ways."""

    key: SortKey
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the value the list is ordered by, and the id. `value` None: no due time."""

    value: datetime | Priority | None
    complaint_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which complaints are asked for; None (or empty `statuses`) asks nothing of that member.

    `received_from` is included, `received_to` and `due_before` are not. `terms` must all be found; no term finds
    nothing. `account_nos` are spellings of one account. `only_source` is the caller's row scope.
    """

    statuses: tuple[Status, ...] = ()
    overdue: bool | None = None
    deadline_kind: DeadlineKind | None = None
    due_before: datetime | None = None
    team: str | None = None
    assignee: str | None = None
    priority: Priority | None = None
    categories: tuple[str, ...] | None = None
    cause: Cause | None = None
    channel: Channel | None = None
    source: str | None = None
    external_id: str | None = None
    region: str | None = None
    sequence: int | None = None
    account_nos: tuple[str, ...] | None = None
    phone_e164: str | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None
    escalation_level_min: int | None = None
    first_owner: str | None = None
    tag: str | None = None
    cycle_min: int | None = None
    terms: tuple[Term, ...] | None = None
    only_source: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Complaints, without their holds, which no list shows; `end` is the last one's place if more follow."""

    complaints: list[Complaint]
    end: Place | None


def find_page(tx: Transaction, filters: Filters, order: Order, *, after: Place | None, limit: int) -> Page:
    """Up to `limit` complaints that fit, from after a place. At most three statements, whatever the limit."""
    rows: list[Any] = []
    for where, ordered in _phases(filters, order, after):
        wanted = limit + 1 - len(rows)
        if wanted > 0:
            statement = page_statement(tx, filters, order, [where], ordered, limit=wanted)
            rows.extend(tx.connection.execute(statement).mappings())
    shown = rows[:limit]
    deadlines = find_deadlines(tx, [row["id"] for row in shown]) if shown else {}
    found = [fact_of(row, deadlines.get(row["id"], ()), ()) for row in shown]
    end = Place(shown[-1]["place"], shown[-1]["id"]) if len(rows) > limit else None
    return Page(found, end)


def page_statement(
    tx: Transaction,
    filters: Filters,
    order: Order,
    where: Sequence[ColumnElement[bool]],
    ordered: Sequence[ColumnElement[Any]],
    *,
    limit: int,
) -> Select[Any]:
    """The statement of one page."""
    place = _sort_column(filters, order).label("place")
    statement = (
        select(*(c[name] for name in MEMBERS), place)
        .where(*conditions(tx, filters), *where)
        .order_by(*ordered)
        # Literal: with a bound limit a prepared plan would be made for a tenth of the table.
        .limit(literal_column(str(int(limit))))
    )
    if hint := _sqlite_index(filters, order):
        statement = statement.with_hint(complaint, f"INDEXED BY {hint}", "sqlite")
    return statement


# Order and place ----------------------------------------------------------------------------------------------------


def _sort_column(filters: Filters, order: Order) -> ColumnElement[Any]:
    """For what is overdue, its earliest unmet due time is the next one by the clock, swept or not."""
    if order.key is SortKey.NEXT_DUE_AT:
        return c.overdue_after_at if filters.overdue else c.next_due_at
    return c.priority if order.key is SortKey.PRIORITY else c.received_at


def _phases(
    filters: Filters, order: Order, after: Place | None
) -> list[tuple[ColumnElement[bool], list[ColumnElement[Any]]]]:
    """Condition and order of the rows with a value, then of those without, from after the place."""
    column = _sort_column(filters, order)
    # An expression, where the index on priorities would lead through all that was ever urgent.
    ordered = column + literal_column("0") if column is c.priority and filters.overdue else column
    by_id = c.id.desc() if order.descending else c.id.asc()
    by_column = [ordered.desc() if order.descending else ordered.asc(), by_id]
    if column is not c.next_due_at:
        return [(true() if after is None else _beyond_both(column, after, order), by_column)]
    if after is None:
        return [(column.is_not(None), by_column), (column.is_(None), [by_id])]
    if after.value is None:
        return [(column.is_(None) & _beyond(c.id, after.complaint_id, order), [by_id])]
    return [(_beyond_both(column, after, order), by_column), (column.is_(None), [by_id])]


def _beyond_both(column: ColumnElement[Any], after: Place, order: Order) -> ColumnElement[bool]:
    return _beyond(tuple_(column, c.id), (after.value, after.complaint_id), order)


def _beyond(columns: Any, place: Any, order: Order) -> ColumnElement[bool]:
    beyond: ColumnElement[bool] = columns < place if order.descending else columns > place
    return beyond


def _sqlite_index(filters: Filters, order: Order) -> str | None:
    """SQLite keeps no statistics and takes any index of a column compared with =, then sorts all it finds."""
    narrow = (
        filters.sequence, filters.external_id, filters.account_nos, filters.phone_e164, filters.tag,
        filters.terms, filters.assignee, filters.escalation_level_min,
    )  # fmt: skip
    if any(value is not None for value in narrow):
        return None
    if order.key is SortKey.NEXT_DUE_AT and filters.overdue:
        return "ix_complaint__overdue"
    if order.key is SortKey.RECEIVED_AT and len(filters.statuses) != 1:
        return "ix_complaint__received"
    return None


# Filters ------------------------------------------------------------------------------------------------------------


def conditions(tx: Transaction, filters: Filters) -> list[ColumnElement[bool]]:
    """What the filters ask of a complaint, as of the transaction's clock."""
    return [*_own(filters), *_due(filters, tx.now), *_elsewhere(tx, filters)]


_EQUAL = (
    "team", "assignee", "priority", "cause", "channel", "source", "external_id", "region", "sequence",
    "first_owner",
)  # fmt: skip


def _own(filters: Filters) -> list[ColumnElement[bool]]:
    """Conditions on the complaint's own row."""
    found = [c[name] == value for name in _EQUAL if (value := getattr(filters, name)) is not None]
    given: list[tuple[object, ColumnElement[bool]]] = [
        (filters.only_source, c.source == filters.only_source),
        (filters.received_from, c.received_at >= filters.received_from),
        (filters.received_to, c.received_at < filters.received_to),
        (filters.cycle_min, c.cycle >= filters.cycle_min),
        (filters.escalation_level_min, c.escalation_level >= filters.escalation_level_min),
        (filters.categories, c.category.in_(filters.categories or ())),
    ]
    found += [condition for value, condition in given if value is not None]
    if filters.statuses:
        found.append(c.status.in_(filters.statuses))
    if filters.escalation_level_min:
        found.append(c.escalation_level > literal_column("0"))  # proves the partial index
    return found


def _due(filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    """Conditions on the clocks, as they stand at `now`, whether or not a sweep has run."""
    found = []
    if filters.overdue is True:
        found.append(c.overdue_after_at < now)
    elif filters.overdue is False:
        found.append(or_(c.overdue_after_at.is_(None), c.overdue_after_at >= now))
    if filters.deadline_kind is not None:
        found.append(_has_unmet(filters.deadline_kind, overdue_at=now if filters.overdue else None))
    if filters.due_before is not None:
        found += due_before(filters.due_before, now)
    return found


def _has_unmet(kind: DeadlineKind, *, overdue_at: datetime | None) -> ColumnElement[bool]:
    unmet = select(d.complaint_id).where(d.kind == kind, UNMET)
    if overdue_at is not None:
        unmet = unmet.where(d.due_at < overdue_at)
    return c.id.in_(unmet)


def due_before(end: datetime, now: datetime) -> list[ColumnElement[bool]]:
    """That the next due time is before `end`. A pause that ended since the last sweep counts as ended."""
    lapsed = exists().where(
        d.complaint_id == c.id,
        d.status == DeadlineStatus.PAUSED,
        d.paused_until <= now,
        d.due_at < end,
    )
    # The first condition follows from the second; it has an index that bounds the search.
    return [c.overdue_after_at < end, or_(c.next_due_at < end, lapsed)]


def _elsewhere(tx: Transaction, filters: Filters) -> list[ColumnElement[bool]]:
    """Conditions on other tables, each by an index of theirs."""
    found: list[ColumnElement[bool]] = []
    if filters.account_nos is not None:
        found.append(c.id.in_(_complainants(p.account_no.in_(filters.account_nos))))
    if filters.phone_e164 is not None:
        found.append(c.id.in_(_complainants(p.phone_e164 == filters.phone_e164)))
    if filters.tag is not None:
        found.append(c.id.in_(select(complaint_tag.c.complaint_id).where(complaint_tag.c.tag == filters.tag)))
    if filters.terms is not None:
        found.append(search.matches(tx, filters.terms) if filters.terms else false())
    return found


def _complainants(known_by: ColumnElement[bool]) -> Select[tuple[UUID]]:
    return select(p.complaint_id).where(known_by, p.role == COMPLAINANT)

