"""Deliveries: each message to a recipient, its lease, and what became of it."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    and_,
    delete,
    literal,
    or_,
    select,
    update,
)

from complaints.domain.scope import ALL_COMPLAINTS, Scope
from complaints.features.notifications.model import (
    Audience,
    MessageChannel,
    MessageDelivery,
    MessageStatus,
    NewDelivery,
    ReceiptStatus,
)
from complaints.features.notifications.rules import LEASE, Settlement
from complaints.features.notifications.tables import metadata
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, one_of
from complaints.storage.database.upsert import insert_if_absent
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.escalation import WAITING, escalation
from complaints.storage.rows.scope_condition import condition, subject_condition
from complaints.storage.rows.subject import NAME_COLUMNS, name_of, subject

message_delivery = Table(
    "message_delivery",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("audience", one_of(Audience), nullable=False),
    Column("recipient", String(200), nullable=False),
    Column("template", String(60), nullable=False),
    Column("repetition", Integer, nullable=False),
    Column("complaint_id", ForeignKey(complaint.c.id)),
    Column("subject_id", ForeignKey(subject.c.id)),
    Column("escalation_id", ForeignKey(escalation.c.id)),
    Column("level", SmallInteger, nullable=False),
    Column("language", String(35), nullable=False),
    Column("channel", one_of(MessageChannel)),
    Column("channels", JSON, nullable=False),  # those left after `channel`
    Column("digest", Boolean, nullable=False),
    Column("status", one_of(MessageStatus), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),  # the clock of the service
    Column("next_attempt_at", UtcDateTime),  # the wall clock, as are leases
    Column("attempts", Integer, nullable=False),
    Column("provider_id", String(200)),
    Column("receipt", one_of(ReceiptStatus)),
    Column("receipts", JSON, nullable=False),
    Column("fault", String(200)),
    Column("facts", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    UniqueConstraint(
        "event_id", "recipient", "template", "audience", "repetition", name="uq_message_delivery__message"
    ),
    CheckConstraint("(status = 'waiting') = (next_attempt_at IS NOT NULL)", name="next_attempt"),
    CheckConstraint("(status = 'waiting') = (settled_at IS NULL)", name="settled"),
    CheckConstraint("status <> 'waiting' OR channel IS NOT NULL", name="channel"),
    CheckConstraint("attempts >= 0 AND repetition >= 0 AND level >= 0", name="counts"),
)
d = message_delivery.c
_WAITING = d.status == "waiting"
Index(
    "ix_message_delivery__waiting",
    d.channel,
    d.due_at,
    postgresql_where=_WAITING,
    sqlite_where=_WAITING,
)
_OF_ESCALATIONS = d.escalation_id.is_not(None)
Index(
    "ix_message_delivery__escalation_id",
    d.escalation_id,
    postgresql_where=_OF_ESCALATIONS,
    sqlite_where=_OF_ESCALATIONS,
)
Index("ix_message_delivery__complaint_id", d.complaint_id, d.created_at, d.id)
Index("ix_message_delivery__created_at", d.created_at, d.id)
_LOST = d.status == "undelivered"
Index(
    "ix_message_delivery__undelivered",
    d.escalation_id,
    postgresql_where=_LOST,
    sqlite_where=_LOST,
)


def insert_delivery(tx: Transaction, delivery_id: UUID, new: NewDelivery, *, wall: datetime) -> bool:
    """Write a delivery; False if it was written before."""
    channel, left = (new.channels[0], new.channels[1:]) if new.channels else (None, ())
    is_lost = channel is None
    values = asdict(new) | {
        "id": delivery_id,
        "channel": channel,
        "channels": list(left),
        "status": MessageStatus.UNDELIVERED if is_lost else MessageStatus.WAITING,
        "next_attempt_at": None if is_lost else wall,
        "settled_at": wall if is_lost else None,
        "fault": "The recipient has no channel." if is_lost else None,
        "attempts": 0,
        "receipts": {},
        "created_at": tx.now,
    }
    return insert_if_absent(tx, message_delivery, values)


def find_told(tx: Transaction, event_ids: Collection[UUID]) -> set[tuple[UUID, str]]:
    """Who of which of these events or news has a message, as pairs."""
    if not event_ids:
        return set()
    statement = select(d.event_id, d.recipient).where(any_of(d.event_id, event_ids))
    return {(row.event_id, row.recipient) for row in tx.connection.execute(statement)}


def has_due(tx: Transaction, channel: MessageChannel, wall: datetime) -> bool:
    """True if a message waits for this channel and may be sent now."""
    return tx.connection.execute(select(d.id).where(*_due(tx, channel, wall)).limit(1)).first() is not None


def lease(
    tx: Transaction, channel: MessageChannel, wall: datetime, *, limit: int
) -> Sequence[MessageDelivery]:
    """Lease the messages that are due on a channel, the longest due first. Each counts as an attempt."""
    statement = select(message_delivery).where(*_due(tx, channel, wall))
    statement = statement.order_by(d.due_at, d.recipient, d.id).limit(limit)
    rows = tx.connection.execute(statement.with_for_update(skip_locked=True)).all()
    leased = {"attempts": d.attempts + 1, "next_attempt_at": wall + LEASE}
    tx.connection.execute(
        update(message_delivery).where(any_of(d.id, [row.id for row in rows])).values(leased)
    )
    return [_read(row, attempts=row.attempts + 1, next_attempt_at=wall + LEASE) for row in rows]


def _due(tx: Transaction, channel: MessageChannel, wall: datetime) -> tuple[Any, ...]:
    return _WAITING, d.channel == channel, d.due_at <= tx.now, d.next_attempt_at <= wall


def _read(row: Row[Any], **changed: Any) -> MessageDelivery:
    values = {**row._mapping, "channels": tuple(map(MessageChannel, row.channels)), **changed}
    return MessageDelivery(**values)


def save_settlement(tx: Transaction, delivery: MessageDelivery, settlement: Settlement) -> bool:
    """Write the outcome of an attempt. False if the lease was lost: another process has tried it since."""
    values = {name: getattr(settlement, name) for name in Settlement.__dataclass_fields__}
    values["channels"] = list(settlement.channels)
    statement = update(message_delivery).where(*_still_leased(delivery))
    return tx.connection.execute(statement.values(values)).rowcount == 1


def release(tx: Transaction, deliveries: Collection[MessageDelivery], *, wall: datetime) -> None:
    """Give leased messages back that were not tried."""
    for one in deliveries:
        values = {"attempts": one.attempts - 1, "next_attempt_at": wall}
        tx.connection.execute(update(message_delivery).where(*_still_leased(one)).values(values))


def _still_leased(delivery: MessageDelivery) -> tuple[Any, ...]:
    """Another process that leased it since has counted an attempt, or tries another channel."""
    return d.id == delivery.id, _WAITING, d.attempts == delivery.attempts, d.channel == delivery.channel


def find_delivery(tx: Transaction, delivery_id: UUID, *, lock: bool = False) -> MessageDelivery | None:
    """The delivery with this id, or None."""
    statement = select(message_delivery).where(d.id == delivery_id)
    row = tx.connection.execute(statement.with_for_update() if lock else statement).first()
    return _read(row) if row else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries. None: any."""

    recipient: str | None = None
    audience: Audience | None = None
    channel: MessageChannel | None = None
    status: MessageStatus | None = None


def list_deliveries(
    tx: Transaction,
    asked: DeliveryFilter,
    *,
    complaint_id: UUID | None,
    scope: Scope,
    login: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[MessageDelivery]:
    """Deliveries of one complaint, or of all in `scope` and those to `login`; newest first."""
    given = {name: value for name, value in asdict(asked).items() if value is not None}
    statement = select(message_delivery).where(*(d[name] == value for name, value in given.items()))
    if complaint_id is not None:
        statement = statement.where(d.complaint_id == complaint_id)
    elif scope != ALL_COMPLAINTS:
        of_complaints = select(complaint.c.id).where(condition(scope, complaint))
        of_subjects = select(subject.c.id).where(subject_condition(scope))
        is_own = and_(d.recipient == login, d.audience == Audience.STAFF)
        statement = statement.where(
            or_(d.complaint_id.in_(of_complaints), d.subject_id.in_(of_subjects), is_own)
        )
    if before is not None:
        at, delivery_id = before
        statement = statement.where(or_(d.created_at < at, and_(d.created_at == at, d.id < delivery_id)))
    statement = statement.order_by(d.created_at.desc(), d.id.desc()).limit(limit)
    return [_read(row) for row in tx.connection.execute(statement)]


def save_receipts(
    tx: Transaction, delivery_id: UUID, receipts: dict[str, str], judged: ReceiptStatus | None
) -> None:
    """Write the status of each part, and of the whole message."""
    values = {"receipts": receipts, "receipt": judged}
    tx.connection.execute(update(message_delivery).where(d.id == delivery_id).values(values))


def mark_bounced(tx: Transaction, delivery_id: UUID, fault: str) -> None:
    """Mark an accepted message as undelivered."""
    values = {"status": MessageStatus.UNDELIVERED, "fault": fault}
    tx.connection.execute(update(message_delivery).where(d.id == delivery_id).values(values))


def delete_settled(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Delete deliveries that were settled before this time of the wall clock; how many."""
    old = select(d.id).where(d.settled_at < before).order_by(d.created_at).limit(limit)
    return tx.connection.execute(delete(message_delivery).where(d.id.in_(old))).rowcount


def has_settled(tx: Transaction, *, before: datetime) -> bool:
    """True if a delivery was settled before this time of the wall clock."""
    return tx.connection.execute(select(d.id).where(d.settled_at < before).limit(1)).first() is not None


def find_unheard_steps(tx: Transaction) -> Sequence[tuple[str, str]]:
    """Pairs of number and step: the waiting escalations about which nobody was reached.

    Every message about them is undelivered.
    """
    e = escalation.c
    others = select(literal(1)).where(d.escalation_id == e.id, d.status != MessageStatus.UNDELIVERED)
    lost = select(d.escalation_id).where(d.status == MessageStatus.UNDELIVERED, _OF_ESCALATIONS)
    statement = (
        select(e.complaint_id, e.subject_id, e.step, *NAME_COLUMNS)
        .outerjoin(complaint, complaint.c.id == e.complaint_id)
        .outerjoin(subject, subject.c.id == e.subject_id)
        .where(e.id.in_(lost), WAITING, ~others.exists())
        .order_by(e.taken_at, e.id)
    )
    return [(name_of(row).number, row["step"]) for row in tx.connection.execute(statement).mappings()]
