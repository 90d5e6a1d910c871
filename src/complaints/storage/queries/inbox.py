"""Inboxes: complaints and other subjects whose escalations wait for somebody, a row for each, worst first."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    and_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    type_coerce,
    union_all,
)

from complaints.domain.scope import Scope
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime
from complaints.storage.queries.escalations import (
    IS_OPEN,
    IS_OPEN_SUBJECT,
    OF_COMPLAINT,
    OF_SUBJECT,
    has_recipient,
    merge_branches,
)
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.deadline import deadline
from complaints.storage.rows.escalation import WAITING, escalation
from complaints.storage.rows.scope_condition import condition, subject_condition
from complaints.storage.rows.subject import subject

c, e, s = complaint.c, escalation.c, subject.c
_OF_ESCALATION = tuple(
    column for column in e if column.name != "team"
)  # the team of the complaint now is shown


@dataclass(frozen=True, slots=True)
class _Branch:
    """The inbox of complaints, or of other subjects.

    `owner` is the column of the escalation that names them. `members` are their members that are shown, alike in both
    branches.
    """

    table: Table
    owner: ColumnElement[Any]
    members: tuple[ColumnElement[Any], ...]
    is_open: ColumnElement[bool]
    in_scope: Callable[[Scope], ColumnElement[bool]]


_SHARED = ("subject", "status", "priority", "team", "assignee", "first_owner", "next_due_at")
_COMPLAINTS = _Branch(
    complaint,
    e.complaint_id,
    (*OF_COMPLAINT, *(cast(c[n], String).label(n) if n == "status" else c[n] for n in _SHARED)),
    IS_OPEN,
    partial(condition, table=complaint),
)
# A subject has no text of its own, no priority, and its due times stand in its deadlines.
_SUBJECTS = _Branch(
    subject,
    e.subject_id,
    (
        *OF_SUBJECT,
        cast(null(), Text).label("subject"),
        cast(s.status, String).label("status"),
        type_coerce(cast(null(), SmallInteger), c.priority.type).label("priority"),
        s.team,
        s.owner.label("assignee"),
        s.owner.label("first_owner"),
        cast(null(), UtcDateTime).label("next_due_at"),
    ),
    IS_OPEN_SUBJECT,
    subject_condition,
)


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """The inbox that a caller asks for. None means any. `recipients` are logins, as in `EscalationFilter`."""

    recipients: Sequence[str] | None = None
    team: str | None = None
    level_min: int | None = None


@dataclass(frozen=True, slots=True)
class InboxPosition:
    """The end of a page: of its last row the highest level, the time since when it waits, and the id."""

    level: int
    since: datetime
    owner_id: UUID


def list_inbox(
    tx: Transaction, wanted: InboxFilter, *, scope: Scope, after: InboxPosition | None, limit: int
) -> Sequence[RowMapping]:
    """The worst waiting escalation of each open complaint or other subject within `scope`, with members of it.

    `waiting` counts its waiting escalations that fit, and `since` is the time of the first of them. `due_at` is the
    due time of the deadline of the worst. The highest level comes first, then the row that has waited longest.
    """
    branches = [_select(branch, wanted, scope, after, limit) for branch in (_COMPLAINTS, _SUBJECTS)]
    return merge_branches(tx, branches, limit, _order)


def count_inbox(tx: Transaction, wanted: InboxFilter, *, scope: Scope, most: int) -> int:
    """The number of rows of `list_inbox`, but at most `most`."""
    pages = [
        select(func.count().label("rows")).select_from(_page(branch, wanted, scope, None, most).subquery())
        for branch in (_COMPLAINTS, _SUBJECTS)
    ]
    found = union_all(*pages).subquery()
    count: int = tx.connection.execute(select(func.sum(found.c.rows))).scalar_one()
    return min(int(count), most)


def find_waiting_ids(
    tx: Transaction, owner_ids: Collection[UUID], wanted: InboxFilter, *, seen_at: datetime, limit: int
) -> Sequence[UUID]:
    """The ids of the waiting escalations of rows of the inbox that were taken until `seen_at`, the oldest first.

    `owner_ids` are the ids of the complaints and other subjects of the rows.
    """
    owned = or_(any_of(e.complaint_id, [*owner_ids]), any_of(e.subject_id, [*owner_ids]))
    statement = (
        select(e.id)
        .where(owned, e.taken_at <= seen_at, *_conditions(wanted))
        .order_by(e.taken_at, e.id)
        .limit(limit)
    )
    return tx.connection.execute(statement).scalars().all()


def _select(
    branch: _Branch, wanted: InboxFilter, scope: Scope, after: InboxPosition | None, limit: int
) -> Select[Any]:
    page = _page(branch, wanted, scope, after, limit).subquery()
    return (
        select(*_OF_ESCALATION, *page.c, deadline.c.due_at)
        .select_from(page)
        .join(escalation, e.id == _worst_of(branch, page.c, wanted))
        .outerjoin(deadline, deadline.c.id == e.deadline_id)
    )


def _page(
    branch: _Branch, wanted: InboxFilter, scope: Scope, after: InboxPosition | None, limit: int
) -> Select[Any]:
    """The rows of one page. Their worst escalations are looked for afterwards."""
    waiting = _waiting(branch, wanted).subquery()
    statement = (
        select(*waiting.c, *branch.members)
        .join(branch.table, branch.table.c.id == waiting.c.owner_id)
        .where(branch.is_open, branch.in_scope(scope))
        .order_by(*_order(waiting.c))
        .limit(limit)
    )
    if wanted.team is not None:
        statement = statement.where(branch.table.c.team == wanted.team)
    return statement if after is None else statement.where(_comes_after(waiting.c, after))


def _order(columns: Any) -> tuple[Any, ...]:
    return columns.worst.desc(), columns.since, columns.owner_id


def _waiting(branch: _Branch, wanted: InboxFilter) -> Select[Any]:
    """What has waiting escalations that fit, grouped before anything is joined to it."""
    return (
        select(
            branch.owner.label("owner_id"),
            func.max(e.level).label("worst"),
            func.min(e.taken_at).label("since"),
            func.count().label("waiting"),
        )
        .where(branch.owner.is_not(None), *_conditions(wanted))
        .group_by(branch.owner)
    )


def _worst_of(branch: _Branch, waiting: Any, wanted: InboxFilter) -> Any:
    """The id of the waiting escalation of the row with the highest level; the first of several."""
    return (
        select(e.id)
        .where(branch.owner == waiting.owner_id, e.level == waiting.worst, *_conditions(wanted))
        .order_by(e.taken_at, e.id)
        .limit(1)
        .correlate(waiting.owner_id.table)
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
    place = tuple_(literal(after.since, UtcDateTime), literal(after.owner_id, Uuid))
    return or_(
        waiting.worst < after.level,
        and_(waiting.worst == after.level, tuple_(waiting.since, waiting.owner_id) > place),
    )
