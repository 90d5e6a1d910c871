"""Pages of trouble tickets: complaints in one of several orders, by keyset or by number, and exact counts."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, false, func, literal_column, or_, select, tuple_

from complaints.domain.scope import Scope
from complaints.domain.vocabulary import HoldReason, Severity, Status
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.complaint_filters import Filters, Order, SortKey, conditions
from complaints.storage.queries.list_order import ROW_COLUMNS
from complaints.storage.queries.ticket_comparisons import TicketComparison
from complaints.storage.queries.ticket_conditions import TicketConditions, TicketSight, WordTable
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.deadline import hold
from complaints.storage.rows.deleted_ticket import IS_DELETED

c = complaint.c
_NEWEST_FIRST = Order(SortKey.RECEIVED_AT, descending=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilters:
    """The tickets that a caller asks for; all conditions must fit. Deleted tickets never fit.

    `statuses` None: all. `is_pending` says which complaints on hold fit: those that wait for the complainant, or the
    others; None: both.
    """

    scope: Scope
    sight: TicketSight
    statuses: tuple[Status, ...] | None = None
    is_pending: bool | None = None
    comparisons: tuple[TicketComparison, ...] = ()
    severities: WordTable
    priorities: WordTable
    types: WordTable

    @property
    def key(self) -> Hashable:
        """A value that is equal for filters that find the same, as long as the words stay the same."""
        return self.scope, self.sight, self.statuses, self.is_pending, self.comparisons


@dataclass(frozen=True, slots=True)
class TicketOrder:
    """One key of an order: a name of `TICKET_ORDERS`, and its direction."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class TicketPosition:
    """A place in a list: the values of the keys of its order, and the id."""

    values: tuple[Any, ...]
    complaint_id: UUID


@dataclass(frozen=True, slots=True)
class TicketRows:
    """The rows of a page as `complaint_lists.find_page_rows` gives them, and their places in the list.

    `has_more`: the list goes on in the direction in which the page was read.
    """

    rows: Sequence[Any]
    places: Sequence[TicketPosition]
    has_more: bool


_waits_for_complainant = (
    select(literal_column("1"))
    .where(
        hold.c.complaint_id == c.id,
        hold.c.ended_at.is_(None),
        hold.c.reason == HoldReason.AWAITING_COMPLAINANT,
    )
    .correlate(complaint)
    .exists()
)
_STATUS_RANKS = {
    Status.RECEIVED: 1,
    Status.INVESTIGATING: 2,
    Status.RESOLVED: 5,
    Status.FOLLOWING_UP: 5,
    Status.CLOSED: 6,
    Status.MERGED: 6,
    Status.REJECTED: 7,
    Status.WITHDRAWN: 8,
}
TICKET_ORDERS: Mapping[str, ColumnElement[Any]] = {
    "creationDate": c.received_at,
    "lastUpdate": c.updated_at,
    "priority": c.priority,
    "severity": case(
        *((c.severity == one, literal_column(str(rank))) for rank, one in enumerate(Severity)),
        else_=literal_column("9"),
    ),
    "status": case(
        *((c.status == one, literal_column(str(rank))) for one, rank in _STATUS_RANKS.items()),
        (_waits_for_complainant, literal_column("3")),
        else_=literal_column("4"),
    ),
    "name": c.subject,
    "id": c.id,
}
"""The keys of orders. Priority and severity begin with the most urgent, and the status with new tickets."""


def select_tickets(tx: Transaction, filters: TicketFilters) -> Select[Any]:
    """The statement with the ids of the tickets that fit. A page and a count of one list share it."""
    return select(c.id).where(*_conditions(tx, filters))


def find_ticket_rows(
    tx: Transaction,
    tickets: Select[Any],
    order: Sequence[TicketOrder],
    *,
    place: TicketPosition | None = None,
    backwards: bool = False,
    offset: int = 0,
    limit: int,
) -> TicketRows:
    """Up to `limit` of `select_tickets` after a place, or `backwards` the last ones before it. One statement."""
    if limit == 0:
        return TicketRows((), (), has_more=False)
    keys = [(_column(tx, one.name), one.descending is not backwards) for one in order]
    # The id decides between equal tickets, in the direction of the last key.
    keys.append((c.id, keys[-1][1]))
    named = [key.label(f"key_{number}") for number, (key, _) in enumerate(keys[:-1])]
    statement = (
        tickets.with_only_columns(*ROW_COLUMNS, *named)
        .order_by(*(key.desc() if descending else key.asc() for key, descending in keys))
        .offset(literal_column(str(int(offset))) if offset else None)
        .limit(literal_column(str(int(limit + 1))))
    )
    if place is not None:
        statement = statement.where(_beyond(keys, (*place.values, place.complaint_id)))
    found = tx.connection.execute(statement).all()
    shown = found[:limit][::-1] if backwards else found[:limit]
    places = [TicketPosition(tuple(row[-len(named) :]), row.id) for row in shown]
    return TicketRows(shown, places, len(found) > limit)


def count_tickets(tx: Transaction, tickets: Select[Any], *, most: int | None) -> int:
    """The number of `select_tickets`, but at most `most`; None: all."""
    found = tickets if most is None else tickets.limit(literal_column(str(int(most))))
    return tx.connection.execute(select(func.count()).select_from(found.subquery())).scalar_one()


def _column(tx: Transaction, name: str) -> ColumnElement[Any]:
    """The column of a key. Texts are compared by their code points on both databases."""
    column = TICKET_ORDERS[name]
    is_text = name == "name" and tx.connection.dialect.name == "postgresql"
    return column.collate("C") if is_text else column


def _beyond(keys: Sequence[tuple[ColumnElement[Any], bool]], values: Sequence[Any]) -> ColumnElement[bool]:
    """The condition of rows after a place. Keys of one direction are compared as one row, which an index serves."""
    if len({descending for _, descending in keys}) == 1:
        row: Any = tuple_(*(key for key, _ in keys))
        beyond: ColumnElement[bool] = row < tuple(values) if keys[0][1] else row > tuple(values)
        return beyond
    ways = []
    for number, (key, descending) in enumerate(keys):
        same = [before == value for (before, _), value in zip(keys[:number], values, strict=False)]
        further: ColumnElement[bool] = key < values[number] if descending else key > values[number]
        ways.append(and_(*same, further))
    return or_(*ways)


def _conditions(tx: Transaction, filters: TicketFilters) -> list[ColumnElement[bool]]:
    if filters.statuses == ():
        return [false()]
    known = Filters(statuses=filters.statuses or (), scope=filters.scope)
    made = TicketConditions(
        tx,
        filters.sight,
        severities=filters.severities,
        priorities=filters.priorities,
        types=filters.types,
    )
    return [
        *conditions(tx, known, _NEWEST_FIRST),
        *_on_hold(filters.is_pending),
        *(made.make(one) for one in filters.comparisons),
        ~IS_DELETED,
    ]


def _on_hold(is_pending: bool | None) -> list[ColumnElement[bool]]:
    if is_pending is None:
        return []
    waits = _waits_for_complainant if is_pending else ~_waits_for_complainant
    return [or_(c.status != Status.ON_HOLD, waits)]
