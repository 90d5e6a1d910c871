"""Lists of complaints: filters, orders, and pages by keyset. Each order has its index in `storage.rows.complaint`."""

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from math import ceil
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FunctionElement,
    Select,
    Text,
    UnaryExpression,
    and_,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.operators import custom_op

from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.search_terms import QueryPart
from complaints.domain.scope import ALL_COMPLAINTS, Scope, ScopeKind
from complaints.domain.vocabulary import Cause, DeadlineStatus, Nature, Priority, Status
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import search
from complaints.storage.rows.complaint import MEMBER_COLUMNS, complaint, complaint_tag, fact_of
from complaints.storage.rows.deadline import MET_LATE, UNMET, deadline, find_deadlines
from complaints.storage.rows.external_id import has_external_id
from complaints.storage.rows.link import link
from complaints.storage.rows.person import COMPLAINANT, person
from complaints.storage.rows.scope_condition import condition

c, d, p = complaint.c, deadline.c, person.c
# Links are seldom. Knowing which complaints have any saves the statement that reads them.
_LINKED = exists().where(link.c.complaint_id == c.id).label("linked")
_TIMES = (c.next_due_at, c.overdue_after_at, c.wake_at)
ROW_COLUMNS: tuple[ColumnElement[Any], ...] = (*MEMBER_COLUMNS, *_TIMES, _LINKED)
"""The columns of a row that a page shows."""
Phase = tuple[ColumnElement[bool], Sequence[ColumnElement[Any]]]


class SortKey(StrEnum):
    """The members by which a list may be ordered. `priority` begins with urgent."""

    NEXT_DUE_AT = "next_due_at"
    RECEIVED_AT = "received_at"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list; ties are ordered by id. Complaints without a due time come last in both directions."""

    key: SortKey
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ListPosition:
    """The end of a page: the value by which the list is ordered, and the id. `value` None: no due time."""

    value: datetime | Priority | None
    complaint_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The complaints that a caller asks for. None, or empty `statuses`, asks nothing of a member.

    Instants named `_from` are included; `_to` and `due_before` are not. `plain` has the values of plain members by
    name, `attributes` those of attributes by key. `external_id` is a name in any system. A complaint must have all
    `terms`; an empty tuple of terms finds nothing. `account_nos` are spellings of one account number. `unassigned`
    asks for complaints without assignee, and `queued` for open ones in the order of their earliest unmet due time.
    `assignees` are logins: one of them is the assignee.
    `scope` limits the list to the complaints that the caller may know of.
    """

    statuses: tuple[Status, ...] = ()
    overdue: bool | None = None
    deadline_kind: str | None = None
    due_before: datetime | None = None
    team: str | None = None
    assignee: str | None = None
    assignees: tuple[str, ...] = ()
    unassigned: bool = False
    queued: bool = False
    priority: Priority | None = None
    categories: tuple[str, ...] | None = None
    cause: Cause | None = None
    nature: Nature | None = None
    source: str | None = None
    plain: Mapping[str, object] = field(default_factory=dict)
    sequence: int | None = None
    account_nos: tuple[str, ...] | None = None
    phone_e164: str | None = None
    phone_extension: str | None = None
    email: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    received_from: datetime | None = None
    received_to: datetime | None = None
    closed_from: datetime | None = None
    closed_to: datetime | None = None
    updated_from: datetime | None = None
    met_late: bool | None = None
    csat_max: int | None = None
    escalation_level_min: int | None = None
    first_owner: str | None = None
    tag: str | None = None
    external_id: str | None = None
    cycle_min: int | None = None
    terms: tuple[QueryPart, ...] | None = None
    scope: Scope = ALL_COMPLAINTS


@dataclass(frozen=True, slots=True)
class ComplaintSlice:
    """Complaints of one page, without their holds, which no list shows.

    `linked` are the ids of complaints with links to others. `end` is the position of the last complaint, if more
    complaints follow.
    """

    complaints: list[Complaint]
    linked: list[UUID]
    end: ListPosition | None


def find_page(
    tx: Transaction, filters: Filters, order: Order, *, after: ListPosition | None, limit: int
) -> ComplaintSlice:
    """Up to `limit` complaints that fit, after a position. At most three statements, whatever the limit."""
    rows, end = find_page_rows(tx, filters, order, after=after, limit=limit)
    return ComplaintSlice(facts_of(tx, rows), [row.id for row in rows if row.linked], end)


def find_page_rows(
    tx: Transaction, filters: Filters, order: Order, *, after: ListPosition | None, limit: int
) -> tuple[list[Any], ListPosition | None]:
    """The rows of a page, and the position of the last row if more follow. At most two statements.

    A row begins with `MEMBER_COLUMNS`. It also has the times that follow from the deadlines, and `linked`.
    """
    rows: list[Any] = []
    for phase in _phases(filters, order, after):
        wanted = limit + 1 - len(rows)
        if wanted > 0:
            read = _searched if filters.terms else _listed
            rows += read(tx, filters, order, phase, limit=wanted)
    shown = rows[:limit]
    return shown, ListPosition(shown[-1].place, shown[-1].id) if len(rows) > limit else None


def find_rows_by_id(tx: Transaction, ids: Collection[UUID], filters: Filters, order: Order) -> Sequence[Any]:
    """The rows of these complaints within the scope of `filters`, as `find_page_rows` gives them, in no order.

    A row also has `fits`: True if the complaint fits the filters.
    """
    fits = and_(true(), *conditions(tx, replace(filters, scope=ALL_COMPLAINTS), order)).label("fits")
    statement = select(*_columns(filters, order), fits).where(
        any_of(c.id, ids), condition(filters.scope, complaint)
    )
    return tx.connection.execute(statement).all()


def find_names(tx: Transaction, filters: Filters, *, most: int) -> Sequence[Any]:
    """Up to `most` complaints that fit, oldest receipt first: id, sequence, status, and what a scope looks at."""
    order = Order(SortKey.RECEIVED_AT)
    columns = (c.id, c.sequence, c.status, c.source, c.team, c.assignee, c.first_owner)
    statement = (
        select(*columns)
        .where(*conditions(tx, filters, order))
        .order_by(c.received_at, c.id)
        .limit(_literal(most))
    )
    return tx.connection.execute(statement).all()


def facts_of(tx: Transaction, rows: Sequence[Any]) -> list[Complaint]:
    """The complaints of rows of a page, with their deadlines."""
    deadlines = find_deadlines(tx, [row.id for row in rows]) if rows else {}
    return [fact_of(row, deadlines.get(row.id, ()), ()) for row in rows]


def count_complaints(tx: Transaction, filters: Filters, *, most: int) -> int:
    """The number of complaints that fit, but at most `most`."""
    newest = Order(SortKey.RECEIVED_AT)
    if not filters.terms:
        return _count(tx, conditions(tx, filters, newest), most)
    listed, others = search.find_matching(tx, filters.terms, most=most), replace(filters, terms=None)
    if listed is not None:
        return _count(tx, [search.is_listed(tx, listed), *conditions(tx, others, newest)], most)
    return most if others == Filters() else _count(tx, conditions(tx, filters, newest), most)


def _count(tx: Transaction, where: Sequence[ColumnElement[bool]], most: int) -> int:
    few = select(c.id).where(*where).limit(_literal(most)).subquery()
    return tx.connection.execute(select(func.count()).select_from(few)).scalar_one()


def _listed(tx: Transaction, filters: Filters, order: Order, phase: Phase, *, limit: int) -> Sequence[Any]:
    where, ordered = phase
    statement = (
        select(*_columns(filters, order))
        .where(*conditions(tx, filters, order), where)
        .order_by(*ordered)
        .limit(_literal(limit))
    )
    return tx.connection.execute(statement).all()


def _columns(filters: Filters, order: Order) -> list[ColumnElement[Any]]:
    """What a page shows of each complaint, and its place in the order."""
    return [*ROW_COLUMNS, _sort_column(filters, order).label("place")]


def _literal(number: int) -> ColumnElement[int]:
    """A number that stands in the statement. For a bound limit a prepared plan expects a tenth of the table."""
    return literal_column(str(int(number)))


# Words ----------------------------------------------------------------------------------------------------

# How many rows the first walk along the order passes, and how many times as many each further walk does.
_FIRST_WALK, _GROWTH = 500, 4
# A walk goes on, without a turn of the index, if the next one should find a third of what is missing.
_WORTH_A_WALK = 3
# The next walk then passes this many times the rows that should have what is missing, if these are fewer.
_SPARE = 1.5
# An entry of the full-text index is read faster than a row of a walk.
_ENTRIES_FOR_A_ROW = 16


def _searched(tx: Transaction, filters: Filters, order: Order, phase: Phase, *, limit: int) -> Sequence[Any]:
    """The rows of a phase that have the words.

    There are two ways: along the order, past rows without the words, or through all entries of the full-text index,
    which are then sorted. Which is shorter depends on how many complaints have all the words, and on how new these
    are. No statistics tell this. So both ways take turns, each time with more rows, until one is at its end.
    """
    terms, found = filters.terms or (), list[Any]()
    most = walk = _FIRST_WALK
    while True:
        passed = _walked(tx, filters, order, phase, rows=walk, limit=limit)[: limit - len(found)]
        found += passed
        end = _end_of_walk(tx, filters, order, phase, rows=walk) if len(found) < limit else None
        if end is None:
            break
        [phase, *_] = _phases(filters, order, end)
        entries, missing, passed_rows = most * _ENTRIES_FOR_A_ROW, limit - len(found), walk
        most *= _GROWTH
        walk = most
        if len(passed) / passed_rows * most >= missing / _WORTH_A_WALK:
            walk = min(most, ceil(missing * passed_rows / len(passed) * _SPARE))
            continue
        listed = search.find_matching(tx, terms, most=entries)
        if listed is not None:
            found += _sorted(tx, filters, order, phase, listed, limit=limit)[: limit - len(found)]
            break
    return _with_members(tx, filters, order, found)


def _walked(
    tx: Transaction, filters: Filters, order: Order, phase: Phase, *, rows: int, limit: int
) -> Sequence[Any]:
    """Ids and places of the complaints that fit, among the next `rows` of the order."""
    along, apart = _split(filters, order)
    where, ordered = phase
    walked = (
        select(
            c.id,
            c.sequence,
            _sort_column(filters, order).label("place"),
            and_(true(), *conditions(tx, apart, order)).label("fits"),
        )
        .where(*conditions(tx, along, order), where)
        .order_by(*ordered)
        .limit(_literal(rows))
        .cte("walked")
    )
    has_words = search.matches_among(tx, filters.terms or (), walked)
    return _first_of(
        tx, select(walked.c.id, walked.c.place).where(walked.c.fits, has_words), order, phase, limit
    )


def _end_of_walk(
    tx: Transaction, filters: Filters, order: Order, phase: Phase, *, rows: int
) -> ListPosition | None:
    """The last of the next `rows` of the order. None: there are not so many."""
    along, _ = _split(filters, order)
    where, ordered = phase
    statement = (
        select(_sort_column(filters, order).label("place"), c.id)
        .where(*conditions(tx, along, order), where)
        .order_by(*ordered)
        .offset(_literal(rows - 1))
        .limit(_literal(1))
    )
    last = tx.connection.execute(statement).first()
    return None if last is None else ListPosition(last.place, last.id)


def _sorted(
    tx: Transaction, filters: Filters, order: Order, phase: Phase, listed: str, *, limit: int
) -> Sequence[Any]:
    """Ids and places of the complaints that fit, among those that `listed` names."""
    where, _ = phase
    found = (
        select(c.id, _sort_column(filters, order).label("place"))
        .where(search.is_listed(tx, listed), *conditions(tx, replace(filters, terms=None), order), where)
        .offset(_literal(0))  # keeps the planner from looking for them along the order
        .subquery("found")
    )
    return _first_of(tx, select(found), order, phase, limit)


def _first_of(tx: Transaction, found: Select[Any], order: Order, phase: Phase, limit: int) -> Sequence[Any]:
    columns = (found.selected_columns.place, found.selected_columns.id)[-len(phase[1]) :]
    ordered = [column.desc() if order.descending else column.asc() for column in columns]
    return tx.connection.execute(found.order_by(*ordered).limit(_literal(limit))).all()


def _with_members(tx: Transaction, filters: Filters, order: Order, found: Sequence[Any]) -> Sequence[Any]:
    ids = [row.id for row in found]
    if not ids:
        return []
    statement = select(*_columns(filters, order)).where(any_of(c.id, ids))
    rows = {row.id: row for row in tx.connection.execute(statement)}
    return [rows[one] for one in ids]


# Filters that no index serves in the order of a list. Their values are compared row by row.
_COMPARED_APART = (
    "cause", "nature", "source", "first_owner", "unassigned", "categories", "updated_from", "cycle_min", "plain",
    "attributes",
)  # fmt: skip


def _split(filters: Filters, order: Order) -> tuple[Filters, Filters]:
    """The filters that bound a walk along the order, and the others, which do not lengthen it."""
    apart = set(_COMPARED_APART)
    if order.key is not SortKey.PRIORITY:
        apart.add("priority")
    if filters.met_late is False:
        apart.add("met_late")
    if filters.scope.kind in (ScopeKind.SOURCES, ScopeKind.FIRST_OWNER):
        apart.add("scope")
    none = Filters()
    along = replace(filters, terms=None, **{name: getattr(none, name) for name in apart})
    return along, replace(none, **{name: getattr(filters, name) for name in apart})


# Order and position ------------------------------------------------------------------------------------------


def _sort_column(filters: Filters, order: Order) -> ColumnElement[Any]:
    """The column of the order.

    For overdue and queued complaints it is the earliest unmet due time: the next due time whether or not swept.
    """
    if order.key is SortKey.NEXT_DUE_AT:
        return c.overdue_after_at if filters.overdue or filters.queued else c.next_due_at
    return c.priority if order.key is SortKey.PRIORITY else c.received_at


def _phases(filters: Filters, order: Order, after: ListPosition | None) -> list[Phase]:
    """Condition and order of the rows with a value, then of the rows without one, after a position."""
    column = _sort_column(filters, order)
    # An expression hides the index on priorities. It would lead through all complaints that were ever urgent.
    ordered = column + literal_column("0") if column is c.priority and filters.overdue else column
    by_id = c.id.desc() if order.descending else c.id.asc()
    by_column: list[ColumnElement[Any]] = [ordered.desc() if order.descending else ordered.asc(), by_id]
    if column is not c.next_due_at:
        return [(true() if after is None else _beyond_both(column, after, order), by_column)]
    if after is None:
        return [(column.is_not(None), by_column), (column.is_(None), [by_id])]
    if after.value is None:
        return [(column.is_(None) & _beyond(c.id, after.complaint_id, order), [by_id])]
    return [(_beyond_both(column, after, order), by_column), (column.is_(None), [by_id])]


def _beyond_both(column: ColumnElement[Any], after: ListPosition, order: Order) -> ColumnElement[bool]:
    return _beyond(tuple_(column, c.id), (after.value, after.complaint_id), order)


def _beyond(columns: Any, place: Any, order: Order) -> ColumnElement[bool]:
    beyond: ColumnElement[bool] = columns < place if order.descending else columns > place
    return beyond


# Filters --------------------------------------------------------------------------------------------------


def conditions(tx: Transaction, filters: Filters, order: Order) -> list[ColumnElement[bool]]:
    """The conditions of the filters at the time of the transaction, for a list in that order."""
    on_sqlite = tx.connection.dialect.name == "sqlite"
    aside = _set_aside(filters, order) if on_sqlite else frozenset()
    # Several teams are several ranges of the index of teams, so the rows found there would have to be sorted.
    has_many = on_sqlite and len(filters.scope.names) > 1
    team = _aside(c.team) if has_many or c.team in aside else c.team
    in_scope = condition(filters.scope, complaint, team=team)
    return [*_own(filters, aside), in_scope, *_due(filters, tx.now), *_elsewhere(tx, filters)]


def walked_condition(tx: Transaction, scope: Scope) -> ColumnElement[bool]:
    """The condition of `scope` for a walk along an index that has the team behind its order."""
    is_aside = tx.connection.dialect.name == "sqlite"
    return condition(scope, complaint, team=_aside(c.team) if is_aside else c.team)


def _set_aside(filters: Filters, order: Order) -> frozenset[ColumnElement[Any]]:
    """The columns whose index would lead away from the index of the order (see `_aside`)."""
    aside: set[ColumnElement[Any]] = {c.priority}
    if not filters.queued and (filters.overdue or order.key is not SortKey.RECEIVED_AT or filters.statuses):
        aside.add(c.team)
    if filters.overdue or filters.queued or len(filters.statuses) != 1:
        aside.add(c.status)
    return frozenset(aside)


_COMPARED: tuple[tuple[str, ColumnElement[Any], Callable[[Any, Any], Any]], ...] = (
    *(
        (name, c[name], operator.eq)
        for name in (
            "team", "assignee", "priority", "cause", "nature", "source", "sequence", "first_owner",
        )
    ),
    ("received_from", c.received_at, operator.ge),
    ("received_to", c.received_at, operator.lt),
    ("closed_from", c.ended_at, operator.ge),
    ("closed_to", c.ended_at, operator.lt),
    ("updated_from", c.updated_at, operator.ge),
    ("csat_max", c.csat, operator.le),
    ("cycle_min", c.cycle, operator.ge),
    ("escalation_level_min", c.escalation_level, operator.ge),
)  # fmt: skip


def _own(filters: Filters, aside: frozenset[ColumnElement[Any]]) -> list[ColumnElement[bool]]:
    """Conditions on the complaint's own row. The indexes of the columns `aside` are not used."""
    found: list[ColumnElement[bool]] = [
        compare(_aside(column) if column in aside else column, value)
        for name, column, compare in _COMPARED
        if (value := getattr(filters, name)) is not None
    ]
    found += [c[name] == value for name, value in filters.plain.items()]
    if filters.unassigned:
        found.append(c.assignee.is_(None))
    if filters.assignees:
        found.append(c.assignee.in_(filters.assignees))
    status = _aside(c.status) if c.status in aside else c.status
    if filters.closed_from is not None or filters.closed_to is not None:
        found.append(status == Status.CLOSED)
    found += [_has_attribute(key, value) for key, value in filters.attributes.items()]
    if filters.categories is not None:
        found.append(c.category.in_(filters.categories))
    if filters.statuses:
        found.append(status.in_(filters.statuses))
    if filters.escalation_level_min:
        found.append(c.escalation_level > literal_column("0"))  # proves that the partial index serves
    return found


def _aside(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column, written so that SQLite does not use its index.

    SQLite prefers the index of any column with = or IN, and then sorts all rows that it finds.
    """
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


class _AttributeText(FunctionElement[str]):
    """The value of an attribute of a complaint, as text. NULL if there is none, or if it is a list or an object."""

    inherit_cache = True


@compiles(_AttributeText)
def _attribute_in_postgresql(element: _AttributeText, compiler: Any, **options: Any) -> str:
    column, key = (compiler.process(part, **options) for part in element.clauses)
    kind = f"json_typeof({column} -> {key})"
    return f"CASE WHEN {kind} IN ('string', 'number', 'boolean') THEN {column} ->> {key} END"


@compiles(_AttributeText, "sqlite")
def _attribute_in_sqlite(element: _AttributeText, compiler: Any, **options: Any) -> str:
    column, key = (compiler.process(part, **options) for part in element.clauses)
    value = "CASE WHEN type IN ('true', 'false') THEN type ELSE CAST(value AS TEXT) END"
    scalars = "type IN ('text', 'integer', 'real', 'true', 'false')"
    return f"(SELECT {value} FROM json_each({column}) WHERE key = {key} AND {scalars})"  # noqa: S608 - SQLAlchemy makes both


def _has_attribute(key: str, value: str) -> ColumnElement[bool]:
    return _AttributeText(c.attributes, literal(key, Text)) == literal(value, Text)


def _due(filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    """Conditions on due times at `now`, whether or not a sweep has run."""
    found = []
    if filters.overdue is True:
        found.append(c.overdue_after_at < now)
    elif filters.overdue is False:
        found.append(or_(c.overdue_after_at.is_(None), c.overdue_after_at >= now))
    if filters.queued:
        found.append(c.overdue_after_at.is_not(None))
    if filters.deadline_kind is not None:
        found.append(_has_unmet(filters.deadline_kind, overdue_at=now if filters.overdue else None))
    if filters.due_before is not None:
        found += due_before(filters.due_before, now)
    return found


def _has_unmet(kind: str, *, overdue_at: datetime | None) -> ColumnElement[bool]:
    unmet = select(d.complaint_id).where(d.kind == kind, UNMET)
    if overdue_at is not None:
        unmet = unmet.where(d.due_at < overdue_at)
    return c.id.in_(unmet)


def due_before(end: datetime, now: datetime) -> list[ColumnElement[bool]]:
    """Conditions that the next due time is before `end`.

    A pause that ended after the last sweep counts as ended.
    """
    has_lapsed_pause = exists().where(
        d.complaint_id == c.id,
        d.status == DeadlineStatus.PAUSED,
        d.paused_until <= now,
        d.due_at < end,
    )
    # The first condition follows from the second. It has an index, which bounds the search.
    return [c.overdue_after_at < end, or_(c.next_due_at < end, has_lapsed_pause)]


def _elsewhere(tx: Transaction, filters: Filters) -> list[ColumnElement[bool]]:
    """Conditions on other tables. Each uses an index of its table."""
    found: list[ColumnElement[bool]] = []
    if filters.account_nos is not None:
        same = or_(p.account_no.in_(filters.account_nos), p.account_normal.in_(filters.account_nos))
        found.append(c.id.in_(_complainants(same)))
    if filters.phone_e164 is not None:
        found.append(c.id.in_(_complainants(_has_phone(filters.phone_e164, filters.phone_extension))))
    if filters.email is not None:
        found.append(c.id.in_(_complainants(p.email_normal == filters.email)))
    if filters.met_late is not None:
        late = c.id.in_(select(d.complaint_id).where(MET_LATE))
        found.append(late if filters.met_late else ~late)
    if filters.tag is not None:
        found.append(c.id.in_(select(complaint_tag.c.complaint_id).where(complaint_tag.c.tag == filters.tag)))
    if filters.external_id is not None:
        found.append(has_external_id(filters.external_id))
    if filters.terms is not None:
        found.append(search.matches(tx, filters.terms) if filters.terms else false())
    return found


def _has_phone(number: str, extension: str | None) -> ColumnElement[bool]:
    """The number; with an extension, the number of that extension or of none (rule 5.8)."""
    if extension is None:
        return p.phone_e164 == number
    own = or_(p.phone_extension == extension, p.phone_extension.is_(None))
    return and_(p.phone_e164 == number, own)


def _complainants(known_by: ColumnElement[bool]) -> Select[tuple[UUID]]:
    return select(p.complaint_id).where(known_by, p.role == COMPLAINANT)
