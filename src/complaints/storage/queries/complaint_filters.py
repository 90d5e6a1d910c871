"""Which complaints a list shows, and by which member: filters as conditions that leave the order to its index."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
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
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.operators import custom_op

from complaints.domain.complaint.search_terms import QueryPart
from complaints.domain.scope import ALL_COMPLAINTS, Scope
from complaints.domain.vocabulary import Cause, DeadlineStatus, Nature, Priority, Status
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import search
from complaints.storage.rows.complaint import complaint, complaint_tag
from complaints.storage.rows.deadline import MET_LATE, UNMET, deadline
from complaints.storage.rows.external_id import has_external_id
from complaints.storage.rows.person import COMPLAINANT, person
from complaints.storage.rows.scope_condition import condition

c, d, p = complaint.c, deadline.c, person.c


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
