"""The order of a list of complaints: positions in it, how it goes on after a position, and the columns of a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, literal_column, true, tuple_

from complaints.domain.vocabulary import Priority
from complaints.storage.queries.complaint_filters import Filters, Order, SortKey
from complaints.storage.rows.complaint import MEMBER_COLUMNS, complaint
from complaints.storage.rows.link import link

c = complaint.c
# Links are seldom. Knowing which complaints have any saves the statement that reads them.
_LINKED = exists().where(link.c.complaint_id == c.id).label("linked")
_TIMES = (c.next_due_at, c.overdue_after_at, c.wake_at)
ROW_COLUMNS: tuple[ColumnElement[Any], ...] = (*MEMBER_COLUMNS, *_TIMES, _LINKED)
"""The columns of a row that a page shows."""
Phase = tuple[ColumnElement[bool], Sequence[ColumnElement[Any]]]


@dataclass(frozen=True, slots=True)
class ListPosition:
    """The end of a page: the value by which the list is ordered, and the id. `value` None: no due time."""

    value: datetime | Priority | None
    complaint_id: UUID


def row_columns(filters: Filters, order: Order) -> list[ColumnElement[Any]]:
    """What a page shows of each complaint, and its place in the order."""
    return [*ROW_COLUMNS, sort_column(filters, order).label("place")]


def literal_number(number: int) -> ColumnElement[int]:
    """A number that stands in the statement. For a bound limit a prepared plan expects a tenth of the table."""
    return literal_column(str(int(number)))


def sort_column(filters: Filters, order: Order) -> ColumnElement[Any]:
    """The column of the order.

    For overdue and queued complaints it is the earliest unmet due time: the next due time whether or not swept.
    """
    if order.key is SortKey.NEXT_DUE_AT:
        return c.overdue_after_at if filters.overdue or filters.queued else c.next_due_at
    return c.priority if order.key is SortKey.PRIORITY else c.received_at


def phases(filters: Filters, order: Order, after: ListPosition | None) -> list[Phase]:
    """Condition and order of the rows with a value, then of the rows without one, after a position."""
    column = sort_column(filters, order)
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
