"""Reading complaints: one, a list, and the numbers of overdue and soon due complaints."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from complaints.domain.vocabulary import Priority
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import due_counts
from complaints.storage.queries.complaint_filters import Order as Order
from complaints.storage.queries.complaint_filters import SortKey as SortKey
from complaints.storage.queries.complaint_lists import count_complaints, find_page_rows, find_rows_by_id
from complaints.storage.queries.due_counts import DueCount
from complaints.storage.queries.list_order import ListPosition as ListPosition
from complaints.use_cases.access import Caller
from complaints.use_cases.complaints.filters import ComplaintFilter, filters_of
from complaints.use_cases.complaints.known import load_known_complaint
from complaints.use_cases.complaints.listed import show_rows
from complaints.use_cases.complaints.views import ComplaintParts, ComplaintView, view_one
from complaints.use_cases.service import Service

K = TypeVar("K")
MOST_COUNTED = 10_000
# The limits between bands of age.
AGES = (timedelta(0), timedelta(hours=4), timedelta(days=1), timedelta(days=3), timedelta(days=7))


def load_view(service: Service, tx: Transaction, caller: Caller, reference: str) -> ComplaintView:
    """One complaint by id or number. Raises NotFound, also outside the scope of the caller."""
    return view_one(service, tx, caller, load_known_complaint(tx, caller, reference).complaint)


def list_complaints(
    service: Service,
    tx: Transaction,
    caller: Caller,
    asked: ComplaintFilter,
    order: Order,
    *,
    after: ListPosition | None,
    limit: int,
) -> tuple[list[ComplaintParts], ListPosition | None]:
    """Complaints that fit, as the caller sees them, and the position to continue from, if more follow.

    Raises Forbidden like `filters_of`.
    """
    rows, end = find_page_rows(tx, filters_of(service, tx, caller, asked), order, after=after, limit=limit)
    return show_rows(service, tx, caller, rows), end


@dataclass(frozen=True, slots=True)
class KnownComplaints:
    """Complaints that were asked for by id, and the ids of those that fit a filter."""

    found: list[ComplaintParts]
    fitting: frozenset[UUID]


def show_complaints(
    service: Service,
    tx: Transaction,
    caller: Caller,
    ids: Collection[UUID],
    asked: ComplaintFilter,
    order: Order,
) -> KnownComplaints:
    """The complaints with these ids in the scope of a list, in the order of `ids`. Others are left out.

    Raises like `filters_of`.
    """
    rows = {row.id: row for row in find_rows_by_id(tx, ids, filters_of(service, tx, caller, asked), order)}
    shown = [rows[one] for one in dict.fromkeys(ids) if one in rows]
    return KnownComplaints(
        show_rows(service, tx, caller, shown), frozenset(row.id for row in shown if row.fits)
    )


@dataclass(frozen=True, slots=True)
class ListCount:
    """The number of complaints that fit a filter; `is_minimum`: more may fit, and they were not counted."""

    count: int
    is_minimum: bool


def count_views(
    service: Service, tx: Transaction, caller: Caller, asked: ComplaintFilter, *, most: int | None = None
) -> ListCount:
    """Count the complaints that fit, up to `most` (None: `MOST_COUNTED`). Raises like `filters_of`."""
    most = MOST_COUNTED if most is None else most
    found = count_complaints(tx, filters_of(service, tx, caller, asked), most=most + 1)
    return ListCount(min(found, most), found > most)


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of complaints.

    `by_team`, `by_assignee` and `by_category` begin with the largest number; None: without assignee, or without
    category. `by_priority` and `by_kind` have all values. A complaint counts once in each of its kinds.
    """

    total: int
    by_team: dict[str, int]
    by_assignee: dict[str | None, int]
    by_category: dict[str | None, int]
    by_priority: dict[Priority, int]
    by_kind: dict[str, int]


@dataclass(frozen=True, slots=True)
class DueSummary:
    """The complaints overdue at `now`, and the complaints that fall due before `soon_until`.

    `by_age` has one number for each band of `AGES`.
    """

    now: datetime
    soon_until: datetime
    overdue: Tally
    by_age: tuple[int, ...]
    soon_due: Tally


def summarise_due(service: Service, tx: Transaction, caller: Caller, soon: timedelta) -> DueSummary:
    """Count the complaints in scope that are overdue now, and the others that will be overdue within `soon`."""
    end, scope = tx.now + soon, caller.scope
    kinds = service.configuration(tx).deadline_kinds
    late = due_counts.count_overdue(tx, AGES, scope=scope)
    return DueSummary(
        now=tx.now,
        soon_until=end,
        overdue=_tally(late, due_counts.count_overdue_by_kind(tx, kinds, scope=scope)),
        by_age=tuple(sum(count.by_age[n] for count in late) for n in range(len(AGES))),
        soon_due=_tally(
            due_counts.count_soon_due(tx, end, scope=scope),
            due_counts.count_soon_due_by_kind(tx, end, kinds, scope=scope),
        ),
    )


@dataclass(frozen=True, slots=True)
class DueFigures:
    """The numbers of overdue complaints at a glance.

    `oldest_at` is the earliest due time that was missed, in UTC; None: nothing is overdue. `by_team` begins with the
    largest number. `soon_due` complaints are not overdue yet.
    """

    overdue: int
    oldest_at: datetime | None
    unassigned: int
    by_team: dict[str, int]
    soon_due: int


def find_due_figures(tx: Transaction, caller: Caller, soon: timedelta) -> DueFigures:
    """The figures of the complaints in scope. Three statements, while `summarise_due` needs four larger ones."""
    late = due_counts.count_overdue(tx, AGES[:1], scope=caller.scope)
    return DueFigures(
        overdue=sum(count.count for count in late),
        oldest_at=due_counts.find_oldest_overdue(tx, scope=caller.scope) if late else None,
        unassigned=sum(count.count for count in late if count.assignee is None),
        by_team=_most_first(_summed(late, lambda count: count.team)),
        soon_due=sum(one.count for one in due_counts.count_soon_due(tx, tx.now + soon, scope=caller.scope)),
    )


def _tally(counts: Sequence[DueCount], by_kind: dict[str, int]) -> Tally:
    priorities = _summed(counts, lambda count: count.priority)
    return Tally(
        total=sum(count.count for count in counts),
        by_team=_most_first(_summed(counts, lambda count: count.team)),
        by_assignee=_most_first(_summed(counts, lambda count: count.assignee)),
        by_category=_most_first(_summed(counts, lambda count: count.category)),
        by_priority={priority: priorities.get(priority, 0) for priority in Priority},
        by_kind=by_kind,
    )


def _most_first(sums: dict[K, int]) -> dict[K, int]:
    return dict(sorted(sums.items(), key=lambda pair: (-pair[1], str(pair[0] or ""))))


def _summed(counts: Sequence[DueCount], key: Callable[[DueCount], K]) -> dict[K, int]:
    sums: dict[K, int] = {}
    for count in counts:
        sums[key(count)] = sums.get(key(count), 0) + count.count
    return sums
