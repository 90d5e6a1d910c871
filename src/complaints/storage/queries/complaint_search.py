"""Complaints by their words, in the order of a list: along the order, or through the full-text index."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Any

from sqlalchemy import Select, and_, select, true

from complaints.domain.scope import ScopeKind
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.complaint_filters import Filters, Order, SortKey, conditions
from complaints.storage.queries.list_order import (
    ListPosition,
    Phase,
    literal_number,
    phases,
    row_columns,
    sort_column,
)
from complaints.storage.rows import search
from complaints.storage.rows.complaint import complaint

c = complaint.c

# How many rows the first walk along the order passes, and how many times as many each further walk does.
_FIRST_WALK, _GROWTH = 500, 4
# A walk goes on, without a turn of the index, if the next one should find a third of what is missing.
_WORTH_A_WALK = 3
# The next walk then passes this many times the rows that should have what is missing, if these are fewer.
_SPARE = 1.5
# An entry of the full-text index is read faster than a row of a walk.
_ENTRIES_FOR_A_ROW = 16


def find_searched(
    tx: Transaction, filters: Filters, order: Order, phase: Phase, *, limit: int
) -> Sequence[Any]:
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
        [phase, *_] = phases(filters, order, end)
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
            sort_column(filters, order).label("place"),
            and_(true(), *conditions(tx, apart, order)).label("fits"),
        )
        .where(*conditions(tx, along, order), where)
        .order_by(*ordered)
        .limit(literal_number(rows))
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
        select(sort_column(filters, order).label("place"), c.id)
        .where(*conditions(tx, along, order), where)
        .order_by(*ordered)
        .offset(literal_number(rows - 1))
        .limit(literal_number(1))
    )
    last = tx.connection.execute(statement).first()
    return None if last is None else ListPosition(last.place, last.id)


def _sorted(
    tx: Transaction, filters: Filters, order: Order, phase: Phase, listed: str, *, limit: int
) -> Sequence[Any]:
    """Ids and places of the complaints that fit, among those that `listed` names."""
    where, _ = phase
    found = (
        select(c.id, sort_column(filters, order).label("place"))
        .where(search.is_listed(tx, listed), *conditions(tx, replace(filters, terms=None), order), where)
        .offset(literal_number(0))  # keeps the planner from looking for them along the order
        .subquery("found")
    )
    return _first_of(tx, select(found), order, phase, limit)


def _first_of(tx: Transaction, found: Select[Any], order: Order, phase: Phase, limit: int) -> Sequence[Any]:
    columns = (found.selected_columns.place, found.selected_columns.id)[-len(phase[1]) :]
    ordered = [column.desc() if order.descending else column.asc() for column in columns]
    return tx.connection.execute(found.order_by(*ordered).limit(literal_number(limit))).all()


def _with_members(tx: Transaction, filters: Filters, order: Order, found: Sequence[Any]) -> Sequence[Any]:
    ids = [row.id for row in found]
    if not ids:
        return []
    statement = select(*row_columns(filters, order)).where(any_of(c.id, ids))
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
