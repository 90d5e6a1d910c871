"""Escalations with the number of their complaint, within the scope of a caller."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Text,
    Uuid,
    and_,
    cast,
    literal,
    select,
    tuple_,
)

from complaints.domain.scope import Scope
from complaints.domain.vocabulary import OPEN_STATUSES, DeadlineKind
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.escalation import IN_INBOX, WAITING, escalation, escalation_recipient
from complaints.storage.rows.scope_condition import condition

e, r = escalation.c, escalation_recipient.c
IS_OPEN = complaint.c.status.in_(OPEN_STATUSES)
_SHOWN = select(escalation, complaint.c.sequence).join(complaint, complaint.c.id == e.complaint_id)


def find_escalation(tx: Transaction, escalation_id: UUID, *, scope: Scope) -> RowMapping | None:
    """The escalation with the sequence of its complaint; None if there is none, or none within `scope`."""
    statement = _SHOWN.where(e.id == escalation_id, condition(scope, complaint))
    return tx.connection.execute(statement).mappings().first()


@dataclass(frozen=True, slots=True)
class EscalationFilter:
    """The escalations that a caller asks for. None means any.

    `complaint` is an id or a sequence number. `recipients` are logins: any of them was notified. Without a login,
    nobody was. If `settled` is None, `acknowledged` False means only those that still wait for somebody.
    """

    complaint: UUID | int | None = None
    kind: DeadlineKind | None = None
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
    """Escalations within `scope` that fit, with the sequence of their complaint, latest first.

    `before` is the time and the id of the last escalation of the page before; None gives the first page.
    """
    statement = _SHOWN.where(condition(scope, complaint), *_conditions(wanted))
    statement = statement.order_by(e.taken_at.desc(), e.id.desc()).limit(limit)
    if before is not None:
        position = tuple_(literal(before[0], UtcDateTime), literal(before[1], Uuid))
        statement = statement.where(tuple_(e.taken_at, e.id) < position)
    return tx.connection.execute(statement).mappings().all()


def _conditions(wanted: EscalationFilter) -> list[ColumnElement[bool]]:
    named = e.complaint_id if isinstance(wanted.complaint, UUID) else complaint.c.sequence
    asked: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
        (wanted.complaint, named.__eq__),
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
    found = [make_condition(value) for value, make_condition in asked if value is not None]
    return [*found, *still_waits()] if wanted.waits else found


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
