"""Deliveries of events to subscriptions, and the attempts at them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    and_,
    delete,
    func,
    or_,
    select,
    update,
)

from complaints.features.webhooks.rules import (
    DeliveryState,
    PendingDelivery,
)
from complaints.features.webhooks.tables import Values, metadata
from complaints.storage.database import bulk
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import Serial, UtcDateTime, one_of
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.event import event
from complaints.storage.rows.event_text import event_text
from complaints.storage.rows.subject import NAME_COLUMNS, subject

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("webhook_id", ForeignKey("webhook.id"), nullable=False),
    Column("event_sequence", BigInteger, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("owner_id", Uuid, nullable=False),
    Column("replay", Integer, nullable=False),  # 0: the first delivery of the event
    Column("state", one_of(DeliveryState), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime),
    UniqueConstraint("webhook_id", "event_sequence", "replay"),
    CheckConstraint("(state = 'pending') = (next_attempt_at IS NOT NULL)", name="planned"),
    CheckConstraint("attempts >= 0", name="attempts"),
    sqlite_autoincrement=True,
)
d = webhook_delivery.c
PENDING = d.next_attempt_at.is_not(None)
Index(
    "ix_webhook_delivery__due",
    d.webhook_id,
    d.next_attempt_at,
    d.id,
    postgresql_where=PENDING,
    sqlite_where=PENDING,
)
Index(
    "ix_webhook_delivery__waiting",
    d.webhook_id,
    d.owner_id,
    d.id,
    postgresql_where=PENDING,
    sqlite_where=PENDING,
)

webhook_attempt = Table(
    "webhook_attempt",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("webhook_id", ForeignKey("webhook.id"), nullable=False),
    Column("delivery_id", ForeignKey("webhook_delivery.id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("status_code", Integer),
    Column("failure", String(40)),
    Column("duration_ms", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime),
    UniqueConstraint("delivery_id", "attempt"),
    sqlite_autoincrement=True,
)
a = webhook_attempt.c
Index("ix_webhook_attempt__webhook", a.webhook_id, a.id)


def insert_deliveries(tx: Transaction, rows: Sequence[Values]) -> None:
    """Plan deliveries, in the given order."""
    inserts = bulk.Inserts(tx)
    inserts.add(webhook_delivery, [{"state": DeliveryState.PENDING, "attempts": 0, **row} for row in rows])
    inserts.write()


def find_pending_numbers(tx: Transaction, webhook_id: UUID, *, after: int, up_to: int) -> set[int]:
    """The numbers of the events in a range that are planned for a subscription and not sent yet."""
    statement = select(d.event_sequence).where(
        d.webhook_id == webhook_id, PENDING, d.event_sequence > after, d.event_sequence <= up_to
    )
    return set(tx.connection.execute(statement).scalars())


def find_due(
    tx: Transaction, webhook_ids: Collection[UUID], now: datetime, *, limit: int
) -> dict[UUID, list[PendingDelivery]]:
    """Up to `limit` due deliveries of subscriptions, by subscription.

    With them comes every earlier pending delivery of the same complaints.
    """
    due = (
        select(d.webhook_id, d.owner_id, d.id)
        .where(any_of(d.webhook_id, webhook_ids), PENDING, d.next_attempt_at <= now)
        .order_by(d.next_attempt_at, d.id)
        .limit(limit)
        .subquery()
    )
    last = (
        select(due.c.webhook_id, due.c.owner_id, func.max(due.c.id).label("id"))
        .group_by(due.c.webhook_id, due.c.owner_id)
        .subquery()
    )
    same = and_(d.webhook_id == last.c.webhook_id, d.owner_id == last.c.owner_id, d.id <= last.c.id)
    statement = (
        select(d.webhook_id, d.id, d.owner_id, d.next_attempt_at).join_from(last, webhook_delivery, same)
    ).where(PENDING)
    found: dict[UUID, list[PendingDelivery]] = {}
    for webhook_id, *members in tx.connection.execute(statement):
        found.setdefault(webhook_id, []).append(PendingDelivery(*members))
    return found


def postpone(tx: Transaction, times: Mapping[int, datetime]) -> None:
    """Write other times for the next attempts, by delivery."""
    for delivery_id, at in times.items():
        tx.connection.execute(update(webhook_delivery).where(d.id == delivery_id).values(next_attempt_at=at))


def postpone_followers(
    tx: Transaction, webhook_id: UUID, owner_id: UUID, *, after_id: int, until: datetime
) -> None:
    """The pending deliveries of a complaint after `after_id` wait until `until`."""
    statement = update(webhook_delivery).where(
        d.webhook_id == webhook_id, d.owner_id == owner_id, d.id > after_id, PENDING
    )
    tx.connection.execute(statement.values(next_attempt_at=until))


def load_deliveries(tx: Transaction, ids: Collection[int], *, with_texts: bool) -> Sequence[RowMapping]:
    """Deliveries with their events and the names of the complaints, by id. The event is None if its month is gone.

    `complaint_status` and `subject_status` are the statuses now. `with_texts` adds the texts of events of complaints.
    """
    e, c, t = event.c, complaint.c, event_text.c
    statement = (
        select(
            d.id.label("delivery_id"),
            d.webhook_id,
            d.owner_id,
            d.attempts,
            d.event_id,
            e.sequence,
            e.id,
            e.ordinal,
            e.complaint_id,
            e.subject_id,
            e.type,
            e.version,
            e.at,
            e.actor,
            e.data,
            c.source,
            c.external_id,
            c.status.label("complaint_status"),
            subject.c.status.label("subject_status"),
            *NAME_COLUMNS,
        )
        .select_from(webhook_delivery)
        .outerjoin(event, and_(e.sequence == d.event_sequence, e.id == d.event_id))
        .outerjoin(complaint, c.id == e.complaint_id)
        .outerjoin(subject, subject.c.id == e.subject_id)
        .where(d.id.in_(ids))
        .order_by(d.id)
    )
    if with_texts:
        kept = and_(t.complaint_id == e.complaint_id, t.ordinal == e.ordinal)
        statement = statement.add_columns(t.texts).outerjoin(event_text, kept)
    return tx.connection.execute(statement).mappings().all()


def note_delivered(tx: Transaction, ids: Collection[int]) -> None:
    """These deliveries reached the receiver."""
    if not ids:
        return
    done = {"state": DeliveryState.DELIVERED, "attempts": d.attempts + 1, "next_attempt_at": None}
    tx.connection.execute(update(webhook_delivery).where(d.id.in_(ids)).values(**done))


def note_not_delivered(tx: Transaction, delivery_id: int, *, next_attempt_at: datetime | None) -> None:
    """An attempt failed. Without a next one the delivery has failed."""
    state = DeliveryState.FAILED if next_attempt_at is None else DeliveryState.PENDING
    values = {"state": state, "attempts": d.attempts + 1, "next_attempt_at": next_attempt_at}
    tx.connection.execute(update(webhook_delivery).where(d.id == delivery_id).values(**values))


def fail_pending(tx: Transaction, webhook_id: UUID) -> None:
    """No more attempts for what is planned for a subscription."""
    statement = update(webhook_delivery).where(d.webhook_id == webhook_id, PENDING)
    tx.connection.execute(statement.values(state=DeliveryState.FAILED, next_attempt_at=None))


def insert_attempts(tx: Transaction, rows: Sequence[Values]) -> None:
    """Write attempts into the log, in the given order."""
    inserts = bulk.Inserts(tx)
    inserts.add(webhook_attempt, rows)
    inserts.write()


def list_attempts(
    tx: Transaction, webhook_id: UUID, *, before: int | None, limit: int
) -> Sequence[RowMapping]:
    """Up to `limit` attempts of a subscription with ids below `before`, latest first."""
    statement = (
        select(webhook_attempt, d.event_id, d.event_sequence.label("sequence"), d.replay)
        .join_from(webhook_attempt, webhook_delivery, d.id == a.delivery_id)
        .where(a.webhook_id == webhook_id)
        .order_by(a.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(a.id < before)
    return tx.connection.execute(statement).mappings().all()


def count_first_deliveries(tx: Transaction, webhook_id: UUID, *, after: int) -> int:
    """How many first deliveries a subscription has of events after a number."""
    statement = select(func.count()).where(
        d.webhook_id == webhook_id, d.replay == 0, d.event_sequence > after
    )
    return tx.connection.execute(statement).scalar_one()


def list_first_deliveries(tx: Transaction, webhook_id: UUID, *, after: int, up_to: int) -> Sequence[Any]:
    """The first deliveries of events in a range, in commit order: number, event, complaint, state, last attempt."""
    last = select(func.max(a.id)).where(a.delivery_id == d.id).correlate(webhook_delivery).scalar_subquery()
    statement = (
        select(d.event_sequence, d.event_id, d.owner_id, d.state, last.label("settled"))
        .where(d.webhook_id == webhook_id, d.replay == 0, d.event_sequence > after, d.event_sequence <= up_to)
        .order_by(d.event_sequence)
    )
    return tx.connection.execute(statement).all()


def find_end_of_old(tx: Transaction, webhook_id: UUID, before: datetime) -> int | None:
    """The number of the first event with a delivery that is pending, or was attempted since `before`; or None."""
    recent = select(a.id).where(a.delivery_id == d.id, a.at >= before).correlate(webhook_delivery).exists()
    statement = select(func.min(d.event_sequence)).where(d.webhook_id == webhook_id, or_(PENDING, recent))
    found: int | None = tx.connection.execute(statement).scalar_one()
    return found


def find_old(tx: Transaction, webhook_id: UUID, *, before_number: int, limit: int) -> Sequence[Any]:
    """Up to `limit` deliveries of events before a number, in commit order: id, event number, replay."""
    statement = (
        select(d.id, d.event_sequence, d.replay)
        .where(d.webhook_id == webhook_id, d.event_sequence < before_number)
        .order_by(d.event_sequence, d.replay)
        .limit(limit)
    )
    return tx.connection.execute(statement).all()


def delete_deliveries(tx: Transaction, ids: Collection[int]) -> None:
    """Delete deliveries with their attempts."""
    tx.connection.execute(delete(webhook_attempt).where(a.delivery_id.in_(ids)))
    tx.connection.execute(delete(webhook_delivery).where(d.id.in_(ids)))
