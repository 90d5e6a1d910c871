"""Escalations with the name of their complaint or other subject, within the scope of a caller."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    RowMapping,
    Select,
    String,
    Text,
    Uuid,
    and_,
    cast,
    literal,
    null,
    or_,
    select,
    tuple_,
    union_all,
)

from complaints.domain.scope import Scope
from complaints.domain.vocabulary import OPEN_STATUSES
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.escalation import IN_INBOX, WAITING, escalation, escalation_recipient
from complaints.storage.rows.scope_condition import condition, subject_condition
from complaints.storage.rows.subject import NAME_COLUMNS, subject

e, r = escalation.c, escalation_recipient.c
IS_OPEN = complaint.c.status.in_(OPEN_STATUSES)
IS_OPEN_SUBJECT = subject.c.ended_at.is_(None)
_NO_TEXT = cast(null(), String)
OF_COMPLAINT = (
    complaint.c.sequence.label("complaint_sequence"),
    _NO_TEXT.label("subject_kind"),
    _NO_TEXT.label("subject_number"),
)
OF_SUBJECT = (
    cast(null(), BigInteger).label("complaint_sequence"),
    subject.c.kind.label("subject_kind"),
    subject.c.number.label("subject_number"),
)


def find_escalation(tx: Transaction, escalation_id: UUID, *, scope: Scope) -> RowMapping | None:
    """The escalation with the name of its subject; None if there is none, or none within `scope`."""
    statement = (
        select(escalation, *NAME_COLUMNS)
        .outerjoin(complaint, complaint.c.id == e.complaint_id)
        .outerjoin(subject, subject.c.id == e.subject_id)
        .where(e.id == escalation_id, or_(condition(scope, complaint), subject_condition(scope)))
    )
    return tx.connection.execute(statement).mappings().first()


@dataclass(frozen=True, slots=True)
class EscalationFilter:
    """The escalations that a caller asks for. None means any.

    `complaint` is an id or a sequence number. `recipients` are logins: any of them was notified. Without a login,
    nobody was. If `settled` is None, `acknowledged` False means only those that still wait for somebody.
    """

    complaint: UUID | int | None = None
    kind: str | None = None
    acknowledged: bool | None = None
    superseded: bool | None = None
    settled: bool | None = None
    level_min: int | None = None
    team: str | None = None
    recipients: Sequence[str] | None = None

    @property
    def waits(self) -> bool:
        """True if only escalations that still wait for somebody are asked for."""
        return self.acknowledged is False and not self.settled


def list_escalations(
    tx: Transaction,
    wanted: EscalationFilter,
    *,
    scope: Scope,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Escalations within `scope` that fit, with the name of their subject, latest first.

    `before` is the time and the id of the last escalation of the page before; None gives the first page.
    """
    conditions = _conditions(wanted)
    if before is not None:
        position = tuple_(literal(before[0], UtcDateTime), literal(before[1], Uuid))
        conditions.append(tuple_(e.taken_at, e.id) < position)
    branches = [_of_complaints(wanted, scope)]
    if wanted.complaint is None:
        branches.append(_of_subjects(wanted, scope))
    ordered = [
        branch.where(*conditions).order_by(e.taken_at.desc(), e.id.desc()).limit(limit) for branch in branches
    ]
    return merge_branches(tx, ordered, limit, lambda c: (c.taken_at.desc(), c.id.desc()))


def _of_complaints(wanted: EscalationFilter, scope: Scope) -> Select[Any]:
    statement = select(escalation, *OF_COMPLAINT).join(complaint, complaint.c.id == e.complaint_id)
    statement = statement.where(condition(scope, complaint))
    if wanted.complaint is not None:
        named = e.complaint_id if isinstance(wanted.complaint, UUID) else complaint.c.sequence
        statement = statement.where(named == wanted.complaint)
    return statement.where(*still_waits()) if wanted.waits else statement


def _of_subjects(wanted: EscalationFilter, scope: Scope) -> Select[Any]:
    statement = select(escalation, *OF_SUBJECT).join(subject, subject.c.id == e.subject_id)
    statement = statement.where(e.subject_id.is_not(None), subject_condition(scope))
    return statement.where(WAITING, IS_OPEN_SUBJECT) if wanted.waits else statement


def merge_branches(
    tx: Transaction,
    branches: Sequence[Select[Any]],
    limit: int,
    order: Callable[[Any], Sequence[ColumnElement[Any]]],
) -> Sequence[RowMapping]:
    """The first `limit` rows of statements with the same columns, in `order`.

    Each statement is ordered and limited too: it can then use the indexes of its table.
    """
    if len(branches) == 1:
        return tx.connection.execute(branches[0]).mappings().all()
    merged = union_all(*(select(branch.subquery()) for branch in branches))
    statement = merged.order_by(*order(merged.selected_columns)).limit(limit)
    return tx.connection.execute(statement).mappings().all()


def _conditions(wanted: EscalationFilter) -> list[ColumnElement[bool]]:
    asked: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
        (wanted.kind, e.kind.__eq__),
        (
            wanted.acknowledged,
            lambda yes: e.acknowledged_at.is_not(None) if yes else e.acknowledged_at.is_(None),
        ),
        (wanted.superseded, e.superseded.__eq__),
        (wanted.settled, lambda yes: e.settled_at.is_not(None) if yes else e.settled_at.is_(None)),
        (wanted.level_min, e.level.__ge__),
        (wanted.team, e.team.__eq__),
        (wanted.recipients, lambda logins: has_recipient(logins, waits=wanted.waits)),
    ]
    return [make_condition(value) for value, make_condition in asked if value is not None]


def still_waits() -> tuple[ColumnElement[bool], ...]:
    """The conditions that an escalation is neither acknowledged nor settled (rule 3.8).

    An earlier version of the program settles nothing, so the status of the complaint is compared too.
    """
    return WAITING, IS_OPEN


def has_recipient(logins: Sequence[str], *, waits: bool) -> ColumnElement[bool]:
    """The condition that one of `logins` was notified. Without a login: nobody was, and no higher step notified."""
    if not logins:
        return and_(~e.superseded, cast(e.recipients, Text) == "[]")
    found = select(r.escalation_id).where(r.login.in_(logins))
    return e.id.in_(found.where(IN_INBOX) if waits else found)
