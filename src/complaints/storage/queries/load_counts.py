"""The open complaints of users, counted by the index of unmet deadlines by assignee."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from complaints.domain.scope import ALL_COMPLAINTS, Scope
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.scope_condition import condition

c = complaint.c


@dataclass(frozen=True, slots=True)
class LoadCount:
    """The open complaints of an assignee, those among them that are overdue, and those due before a given time."""

    open: int = 0
    overdue: int = 0
    due_today: int = 0


NO_LOAD = LoadCount()


def count_open(tx: Transaction, logins: Collection[str]) -> dict[str, int]:
    """The number of open complaints of each assignee. A user without any is left out."""
    return {login: count.open for login, count in count_load(tx, logins, day_ends_at=tx.now).items()}


def count_load(
    tx: Transaction, logins: Collection[str], *, day_ends_at: datetime, scope: Scope = ALL_COMPLAINTS
) -> dict[str, LoadCount]:
    """The load of each assignee within `scope`. A user without open complaints is left out.

    Every open complaint has an unmet deadline (rule 2.12), so the partial index has all of them.
    """
    due_at = c.overdue_after_at
    is_overdue, is_due = due_at < tx.now, (due_at >= tx.now) & (due_at < day_ends_at)
    counts = (func.count(), func.count().filter(is_overdue), func.count().filter(is_due))
    statement = (
        select(c.assignee, *counts)
        .where(c.assignee.in_(sorted(logins)), due_at.is_not(None), condition(scope, complaint))
        .group_by(c.assignee)
    )
    return {login: LoadCount(*found) for login, *found in tx.connection.execute(statement)}
