"""Inboxes: the complaints whose escalations still wait for somebody, one row for each complaint, worst first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Uuid, and_, func, literal, or_, select, tuple_

from complaints.domain.scope import Scope
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime
from complaints.storage.queries.escalations import IS_OPEN, has_recipient
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.deadline import deadline
from complaints.storage.rows.escalation import WAITING, escalation
from complaints.storage.rows.scope_condition import condition

c, e = complaint.c, escalation.c
_OF_ESCALATION = tuple(
    column for column in e if column.name != "team"
)  # the team of the complaint now is shown
_OF_COMPLAINT = tuple(
    c[name]
    for name in (
        "sequence", "subject", "status", "priority", "team", "assignee", "first_owner", "next_due_at"
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """The inbox that a caller asks for. None means any. `recipients` are logins, as in `EscalationFilter`."""

    recipients: Sequence[str] | None = None
    team: str | None = None
    level_min: int | None = None


@dataclass(frozen=True, slots=True)
class InboxPosition:
    """The end of a page: of its last complaint the highest level, the time since when it waits, and the id."""

    level: int
    since: datetime
    complaint_id: UUID


def list_inbox(
    tx: Transaction, wanted: InboxFilter, *, scope: Scope, after: InboxPosition | None, limit: int
) -> Sequence[RowMapping]:
    """The worst waiting escalation of each open complaint within `scope`, with members of the complaint.

    `waiting` counts the waiting escalations of the complaint that fit, and `since` is the time of the first of them.
    `due_at` is the due time of the deadline of the worst. The highest level comes first, then the complaint that has
    waited longest.
    """
    page = _page(wanted, scope, after, limit).subquery()
    statement = (
        select(
            *_OF_ESCALATION,
            *(column for column in page.c if column.name != "complaint_id"),
            deadline.c.due_at,
        )
        .select_from(page)
        .join(escalation, e.id == _worst_of(page.c, wanted))
        .outerjoin(deadline, deadline.c.id == e.deadline_id)
        .order_by(*_order(page.c))
    )
    return tx.connection.execute(statement).mappings().all()


def _page(wanted: InboxFilter, scope: Scope, after: InboxPosition | None, limit: int) -> Any:
    """The complaints of one page. Their worst escalations are looked for afterwards."""
    waiting = _waiting_complaints(wanted).subquery()
    statement = (
        select(*waiting.c, *_OF_COMPLAINT)
        .join(complaint, c.id == waiting.c.complaint_id)
        .where(IS_OPEN, condition(scope, complaint))
        .order_by(*_order(waiting.c))
        .limit(limit)
    )
    if wanted.team is not None:
        statement = statement.where(c.team == wanted.team)
    return statement if after is None else statement.where(_comes_after(waiting.c, after))


def _order(columns: Any) -> tuple[Any, ...]:
    return columns.worst.desc(), columns.since, columns.complaint_id


def _waiting_complaints(wanted: InboxFilter) -> Any:
    """The complaints with waiting escalations that fit, grouped before anything is joined to them."""
    return (
        select(
            e.complaint_id,
            func.max(e.level).label("worst"),
            func.min(e.taken_at).label("since"),
            func.count().label("waiting"),
        )
        .where(*_conditions(wanted))
        .group_by(e.complaint_id)
    )


def _worst_of(waiting: Any, wanted: InboxFilter) -> Any:
    """The id of the waiting escalation of the complaint with the highest level; the first of several."""
    return (
        select(e.id)
        .where(e.complaint_id == waiting.complaint_id, e.level == waiting.worst, *_conditions(wanted))
        .order_by(e.taken_at, e.id)
        .limit(1)
        .correlate(waiting.complaint_id.table)
        .scalar_subquery()
    )


def _conditions(wanted: InboxFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [WAITING]
    if wanted.recipients is not None:
        found.append(has_recipient(wanted.recipients, waits=True))
    if wanted.level_min is not None:
        found.append(e.level >= wanted.level_min)
    return found


def _comes_after(waiting: Any, after: InboxPosition) -> ColumnElement[bool]:
    place = tuple_(literal(after.since, UtcDateTime), literal(after.complaint_id, Uuid))
    return or_(
        waiting.worst < after.level,
        and_(waiting.worst == after.level, tuple_(waiting.since, waiting.complaint_id) > place),
    )
