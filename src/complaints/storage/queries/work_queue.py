"""Queues, the most urgent first: the open complaints of a team without assignee, and those of users."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select

from complaints.domain.scope import Scope
from complaints.domain.vocabulary import Status
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.complaint_filters import Filters, Order, SortKey, conditions
from complaints.storage.rows.complaint import complaint

c = complaint.c
BY_DUE_TIME = Order(SortKey.NEXT_DUE_AT)


def queue_of(team: str, scope: Scope) -> Filters:
    """The filters that select the queue of a team within `scope`. `BY_DUE_TIME` is its order."""
    return replace(Filters(), team=team, unassigned=True, queued=True, scope=scope)


def queue_of_users(logins: tuple[str, ...], statuses: tuple[Status, ...], scope: Scope) -> Filters:
    """The filters that select the open complaints of these assignees within `scope`. `BY_DUE_TIME` is their order."""
    return Filters(assignees=logins, statuses=statuses, queued=True, scope=scope)


def claim_first(tx: Transaction, team: str, scope: Scope) -> UUID | None:
    """Lock the first complaint of the queue and return its id. One that another transaction has is passed over."""
    statement = (
        select(c.id)
        .where(*conditions(tx, queue_of(team, scope), BY_DUE_TIME))
        .order_by(c.overdue_after_at, c.id)
        .limit(1)
        .with_for_update(of=complaint, key_share=True, skip_locked=True)
    )
    found: UUID | None = tx.connection.execute(statement).scalar()
    return found
