"""Follow-up contacts that are still to be made: unmet deadlines of that kind, with the users who owe them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Uuid,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from complaints.domain.scope import Scope
from complaints.domain.vocabulary import DeadlineKind
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.deadline import UNMET, deadline
from complaints.storage.rows.scope_condition import condition

c, d = complaint.c, deadline.c
_OWNER = func.coalesce(c.assignee, c.first_owner)
# A literal shows the planner that the partial index serves.
_KIND = d.kind == bindparam("kind", DeadlineKind.FOLLOW_UP, literal_execute=True)
FollowUpPosition = tuple[datetime, UUID, UUID]


@dataclass(frozen=True, slots=True)
class DayRange:
    """A local day as two instants, for the policies (code, version) that have its time zone."""

    policies: Collection[tuple[str, int]]
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, slots=True)
class FollowUpFilter:
    """The contacts that a caller asks for. None means any. `due_to` is excluded. `days` is one local day, by zone."""

    due_from: datetime | None = None
    due_to: datetime | None = None
    days: Collection[DayRange] | None = None
    owner: str | None = None
    team: str | None = None
    overdue: bool | None = None


def list_follow_ups(
    tx: Transaction, wanted: FollowUpFilter, *, scope: Scope, after: FollowUpPosition | None, limit: int
) -> Sequence[Any]:
    """Contacts within `scope` that fit, the earliest due first.

    `after` is the position (due time, complaint id, deadline id) at which the page before ended.
    """
    return tx.connection.execute(_statement(tx.now, wanted, scope, after=after, limit=limit)).all()


def _statement(
    now: datetime, wanted: FollowUpFilter, scope: Scope, *, after: FollowUpPosition | None, limit: int
) -> Select[tuple[object, ...]]:
    statement = (
        select(
            d.id, d.complaint_id, d.sequence, d.attempt, d.due_at, d.policy_code, d.policy_version,
            c.sequence.label("complaint_sequence"), c.subject, c.source, c.team, c.priority,
            c.assignee, c.first_owner, _OWNER.label("owner"),
        )
        .join(complaint, c.id == d.complaint_id)
        .where(_KIND, UNMET, *_conditions(now, wanted), condition(scope, complaint))
        .order_by(d.due_at, d.complaint_id, d.id)
        .limit(limit)
    )  # fmt: skip
    if after is not None:
        place = tuple_(literal(after[0], UtcDateTime), literal(after[1], Uuid), literal(after[2], Uuid))
        statement = statement.where(tuple_(d.due_at, d.complaint_id, d.id) > place)
    return statement


def _conditions(now: datetime, wanted: FollowUpFilter) -> list[ColumnElement[bool]]:
    asked: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
        (wanted.due_from, d.due_at.__ge__),
        (wanted.due_to, d.due_at.__lt__),
        (wanted.days, lambda days: or_(*map(_is_on_day, days))),
        (wanted.owner, _OWNER.__eq__),
        (wanted.team, c.team.__eq__),
        (wanted.overdue, lambda yes: d.due_at < now if yes else d.due_at >= now),
    ]
    return [condition(value) for value, condition in asked if value is not None]


def _is_on_day(day: DayRange) -> ColumnElement[bool]:
    policy = tuple_(d.policy_code, d.policy_version).in_(sorted(day.policies))
    return and_(policy, d.due_at >= day.start_at, d.due_at < day.end_at)
