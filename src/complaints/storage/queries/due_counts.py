"""The numbers of complaints that are overdue or soon due, counted by the indexes on due times."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, union_all

from complaints.domain.scope import ALL_COMPLAINTS, Scope
from complaints.domain.vocabulary import OPEN_STATUSES, DeadlineStatus, Priority
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.complaint_filters import due_before, walked_condition
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.deadline import UNMET, deadline

c, d = complaint.c, deadline.c
_COMPLAINTS = func.count(d.complaint_id.distinct())


@dataclass(frozen=True, slots=True)
class DueCount:
    """Complaints of one team, priority, assignee and category.

    `by_age` splits them by the time for which they have been overdue.
    """

    team: str
    priority: Priority
    assignee: str | None
    category: str | None
    count: int
    by_age: tuple[int, ...]


def count_overdue(
    tx: Transaction, ages: Sequence[timedelta], *, scope: Scope = ALL_COMPLAINTS
) -> list[DueCount]:
    """Overdue complaints within `scope`. `ages` are the limits between bands of age, from zero up."""
    since = [tx.now - age for age in ages]
    bands = [c.overdue_after_at < newest for newest in since]
    closed = [
        and_(band, c.overdue_after_at >= oldest) for band, oldest in zip(bands, since[1:], strict=False)
    ]
    return _counted(tx, scope, [c.overdue_after_at < tx.now], [*closed, bands[-1]])


def find_oldest_overdue(tx: Transaction, *, scope: Scope = ALL_COMPLAINTS) -> datetime | None:
    """The earliest unmet due time of the overdue complaints within `scope`. None: none is overdue."""
    statement = (
        select(c.overdue_after_at)
        .where(c.overdue_after_at < tx.now, walked_condition(tx, scope))
        .order_by(c.overdue_after_at)
        .limit(1)
    )
    found: datetime | None = tx.connection.execute(statement).scalar()
    return found


def count_soon_due(tx: Transaction, end: datetime, *, scope: Scope = ALL_COMPLAINTS) -> list[DueCount]:
    """Complaints within `scope` that are not overdue and whose next due time is before `end`."""
    return _counted(tx, scope, [c.overdue_after_at >= tx.now, *due_before(end, tx.now)], [])


def _counted(
    tx: Transaction,
    scope: Scope,
    where: Sequence[ColumnElement[bool]],
    bands: Sequence[ColumnElement[bool]],
) -> list[DueCount]:
    counts = [func.count().filter(band) for band in bands]
    group = (c.team, c.priority, c.assignee, c.category)
    statement = (
        select(*group, func.count(), *counts).where(*where, walked_condition(tx, scope)).group_by(*group)
    )
    rows: Sequence[Any] = tx.connection.execute(statement).all()
    return [
        DueCount(team, priority, assignee, category, count, tuple(ages))
        for team, priority, assignee, category, count, *ages in rows
    ]


def count_open_by_team(tx: Transaction) -> dict[str, int]:
    """Complaints that have not ended, by team. The index on status and team answers it without reading rows."""
    statement = select(c.team, func.count()).where(c.status.in_(OPEN_STATUSES)).group_by(c.team)
    return {row.team: row[1] for row in tx.connection.execute(statement)}


def count_overdue_by_kind(
    tx: Transaction, kinds: Collection[str], *, scope: Scope = ALL_COMPLAINTS
) -> dict[str, int]:
    """Complaints within `scope` with an overdue deadline of each of `kinds`. A complaint counts once in each kind."""
    late = select(_COMPLAINTS).where(UNMET, d.due_at < tx.now)
    if scope != ALL_COMPLAINTS:
        # The condition on the complaint follows from the condition on the deadline, and bounds the search.
        late = late.join(complaint, c.id == d.complaint_id)
        late = late.where(c.overdue_after_at < tx.now, walked_condition(tx, scope))
    return _counted_by_kind(tx, late, kinds)


def count_soon_due_by_kind(
    tx: Transaction, end: datetime, kinds: Collection[str], *, scope: Scope = ALL_COMPLAINTS
) -> dict[str, int]:
    """Complaints within `scope` that are not overdue, with a deadline of each of `kinds` that is due before `end`.

    A deadline that is paused now does not count.
    """
    running = or_(d.status != DeadlineStatus.PAUSED, d.paused_until <= tx.now)
    soon = (
        select(_COMPLAINTS)
        .join(complaint, c.id == d.complaint_id)
        .where(UNMET, d.due_at >= tx.now, d.due_at < end, running)
        # This condition follows from the condition on the deadline, and bounds the search.
        .where(c.overdue_after_at >= tx.now, c.overdue_after_at < end, walked_condition(tx, scope))
    )
    return _counted_by_kind(tx, soon, kinds)


def _counted_by_kind(tx: Transaction, counting: Select[int], kinds: Collection[str]) -> dict[str, int]:
    """Count each kind alone. Every kind has a number.

    The index begins with the kind. Counting distinct ids within one kind takes half the time.
    """
    counts = [counting.add_columns(literal(str(kind))).where(d.kind == kind) for kind in kinds]
    rows = tx.connection.execute(union_all(*counts)).all()
    return dict.fromkeys(kinds, 0) | {kind: count for count, kind in rows}
