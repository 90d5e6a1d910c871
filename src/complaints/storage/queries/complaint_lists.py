"""Lists of complaints: pages by keyset, rows by id, and counts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, true

from complaints.domain.complaint.facts import Complaint
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.complaint_filters import Filters, Order, SortKey, conditions
from complaints.storage.queries.complaint_search import find_searched
from complaints.storage.queries.list_order import ListPosition, Phase, literal_number, phases, row_columns
from complaints.storage.rows import search
from complaints.storage.rows.complaint import complaint, fact_of
from complaints.storage.rows.deadline import find_deadlines
from complaints.storage.rows.scope_condition import condition

c = complaint.c


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
    for phase in phases(filters, order, after):
        wanted = limit + 1 - len(rows)
        if wanted > 0:
            read = find_searched if filters.terms else _listed
            rows += read(tx, filters, order, phase, limit=wanted)
    shown = rows[:limit]
    return shown, ListPosition(shown[-1].place, shown[-1].id) if len(rows) > limit else None


def find_rows_by_id(tx: Transaction, ids: Collection[UUID], filters: Filters, order: Order) -> Sequence[Any]:
    """The rows of these complaints within the scope of `filters`, as `find_page_rows` gives them, in no order.

    A row also has `fits`: True if the complaint fits the filters.
    """
    fits = and_(true(), *conditions(tx, replace(filters, scope=ALL_COMPLAINTS), order)).label("fits")
    statement = select(*row_columns(filters, order), fits).where(
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
        .limit(literal_number(most))
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
    few = select(c.id).where(*where).limit(literal_number(most)).subquery()
    return tx.connection.execute(select(func.count()).select_from(few)).scalar_one()


def _listed(tx: Transaction, filters: Filters, order: Order, phase: Phase, *, limit: int) -> Sequence[Any]:
    where, ordered = phase
    statement = (
        select(*row_columns(filters, order))
        .where(*conditions(tx, filters, order), where)
        .order_by(*ordered)
        .limit(literal_number(limit))
    )
    return tx.connection.execute(statement).all()
