"""How many complaints are overdue or soon due, counted by the indexes on due times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select

from complaints.domain.vocabulary import DeadlineKind, DeadlineStatus, Priority
from complaints.storage.complaint import complaint
from complaints.storage.complaint_queries import due_before
from complaints.storage.deadline import UNMET, deadline
from complaints.storage.unit_of_work import Transaction

c, d = complaint.c, deadline.c
# Every kind by name, so that the index, which begins with it, is read range by range.
_ANY_KIND = d.kind.in_(bindparam("kinds", list(DeadlineKind), expanding=True, literal_execute=True))


@dataclass(frozen=True, slots=True)
class DueCount:
    """Complaints of one team and priority; `by_age` splits them by how long they have been overdue."""

    team: str
    priority: Priority
    count: int
    by_age: tuple[int, ...]


def count_overdue(tx: Transaction, ages: Sequence[timedelta]) -> list[DueCount]:
    """Overdue complaints; `ages` are where one band of ages ends and the next begins, from zero up."""
    since = [tx.now - age for age in ages]
    bands = [c.overdue_after_at < newest for newest in since]
    closed = [
        and_(band, c.overdue_after_at >= oldest) for band, oldest in zip(bands, since[1:], strict=False)
    ]
    return _counted(tx, [c.overdue_after_at < tx.now], [*closed, bands[-1]])


def count_soon_due(tx: Transaction, end: datetime) -> list[DueCount]:
    """Complaints that are not overdue and next due before `end`."""
    return _counted(tx, [c.overdue_after_at >= tx.now, *due_before(end, tx.now)], [])


def _counted(
    tx: Transaction, where: Sequence[ColumnElement[bool]], bands: Sequence[ColumnElement[bool]]
) -> list[DueCount]:
    counts = [func.count().filter(band) for band in bands]
    statement = select(c.team, c.priority, func.count(), *counts).where(*where).group_by(c.team, c.priority)
    rows: Sequence[Any] = tx.connection.execute(statement).all()
    return [DueCount(team, priority, count, tuple(ages)) for team, priority, count, *ages in rows]


def count_overdue_by_kind(tx: Transaction) -> dict[DeadlineKind, int]:
    """Complaints with an overdue deadline of each kind; one with several kinds counts in each."""
    late = select(d.kind, d.complaint_id).where(_ANY_KIND, UNMET, d.due_at < tx.now)
    return _counted_by_kind(tx, late)


def count_soon_due_by_kind(tx: Transaction, end: datetime) -> dict[DeadlineKind, int]:
    """Complaints that are not overdue, with a running deadline of each kind that is due before `end`."""
    running = or_(d.status != DeadlineStatus.PAUSED, d.paused_until <= tx.now)
    soon = (
        select(d.kind, d.complaint_id)
        .join(complaint, c.id == d.complaint_id)
        .where(_ANY_KIND, UNMET, d.due_at >= tx.now, d.due_at < end, running)
        # The latter follows from what is asked of the deadline, and bounds the search.
        .where(c.overdue_after_at >= tx.now, c.overdue_after_at < end)
    )
    return _counted_by_kind(tx, soon)


def _counted_by_kind(tx: Transaction, found: Select[tuple[DeadlineKind, UUID]]) -> dict[DeadlineKind, int]:
    """Each complaint once a kind. In two steps: what is distinct is then found by hashing, not by sorting."""
    once = found.distinct().subquery()
    statement = select(once.c.kind, func.count()).group_by(once.c.kind)
    return dict(tx.connection.execute(statement).all())
