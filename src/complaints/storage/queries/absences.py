"""Complaints of which something falls due in a time, for users and the teams over which they hold a role."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import literal, or_, select, tuple_

from complaints.domain.scope import Scope
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.scope_condition import condition

c = complaint.c


class WakePosition(NamedTuple):
    """The end of a page: the wake time of its last complaint, and the id."""

    wake_at: datetime
    complaint_id: UUID


def list_waking(
    tx: Transaction,
    logins: Collection[str],
    teams: Collection[str],
    until: datetime,
    *,
    scope: Scope,
    after: WakePosition | None,
    limit: int,
) -> list[WakePosition]:
    """Up to `limit` complaints that time changes by `until`, the earliest first, after a position.

    One of the users works on it or is its first owner, or one of the teams has it.
    """
    concerned = or_(
        c.assignee.in_(sorted(logins)), c.first_owner.in_(sorted(logins)), c.team.in_(sorted(teams))
    )
    statement = (
        select(c.wake_at, c.id)
        .where(c.wake_at <= until, c.parked_at.is_(None), concerned, condition(scope, complaint))
        .order_by(c.wake_at, c.id)
        .limit(limit)
    )
    if after is not None:
        place = tuple_(literal(after.wake_at, UtcDateTime), literal(after.complaint_id, c.id.type))
        statement = statement.where(tuple_(c.wake_at, c.id) > place)
    return [WakePosition(*row) for row in tx.connection.execute(statement)]
