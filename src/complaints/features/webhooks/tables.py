"""The tables of webhooks: subscriptions, deliveries and attempts. No message is stored."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
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
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from complaints.features.webhooks.rules import (
    DeliveryState,
    DisabledReason,
    EventFilter,
    PendingDelivery,
    WebhookStatus,
)
from complaints.storage.database import bulk
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import Serial, UtcDateTime, new_metadata, one_of
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.event import event
from complaints.storage.rows.event_text import event_text
from complaints.storage.rows.subject import NAME_COLUMNS, subject

metadata = new_metadata()
webhook = Table(
    "webhook",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("url", String(2000), nullable=False),
    Column("event_types", JSON, nullable=False),
    Column("payload", String(10), nullable=False),
    Column("format", String(20), nullable=False),
    Column("filter", JSON, nullable=False),
    Column("exclude_actors", JSON, nullable=False),
    Column("secret", String(120), nullable=False),
    Column("previous_secret", String(120)),
    Column("previous_until", UtcDateTime),
    Column("status", one_of(WebhookStatus), nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("disabled_reason", one_of(DisabledReason)),
    Column("failing_since", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(210), nullable=False),
    Column("owner_key", String(200)),  # null: a user with a session made it
    Column("owner_login", String(200)),
    # Events after this number are its own. `planned` counts its first deliveries since then.
    Column("start_after", BigInteger, nullable=False),
    Column("planned", BigInteger, nullable=False),
    Column("replays", Integer, nullable=False),
    # The sender: the next work, and the process that has it now.
    Column("wake_at", UtcDateTime),
    Column("lease_id", Uuid),
    Column("leased_until", UtcDateTime),
    CheckConstraint("payload IN ('thin', 'full')", name="payload"),
    CheckConstraint("format IN ('standard', 'cloudevents')", name="format"),
    CheckConstraint("(status = 'disabled') = (disabled_reason IS NOT NULL)", name="disabled"),
    CheckConstraint("(previous_secret IS NULL) = (previous_until IS NULL)", name="previous"),
    CheckConstraint("(lease_id IS NULL) = (leased_until IS NULL)", name="lease"),
    CheckConstraint("owner_key IS NOT NULL OR owner_login IS NOT NULL", name="owner"),
)
w = webhook.c
Index(
    "ix_webhook__wake",
    w.wake_at,
    postgresql_where=w.wake_at.is_not(None),
    sqlite_where=w.wake_at.is_not(None),
)

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
_PENDING = d.next_attempt_at.is_not(None)
Index(
    "ix_webhook_delivery__due",
    d.webhook_id,
    d.next_attempt_at,
    d.id,
    postgresql_where=_PENDING,
    sqlite_where=_PENDING,
)
Index(
    "ix_webhook_delivery__waiting",
    d.webhook_id,
    d.owner_id,
    d.id,
    postgresql_where=_PENDING,
    sqlite_where=_PENDING,
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


@dataclass(frozen=True, slots=True)
class Webhook:
    """A subscription. Instants are in UTC; `created_at` is by the service's clock, the others by the wall clock."""

    id: UUID
    url: str
    event_types: tuple[str, ...]
    payload: str
    format: str
    filter: EventFilter
    exclude_actors: tuple[str, ...]
    secret: str
    previous_secret: str | None
    previous_until: datetime | None
    status: WebhookStatus
    disabled_at: datetime | None
    disabled_reason: DisabledReason | None
    failing_since: datetime | None
    created_at: datetime
    created_by: str
    owner_key: str | None
    owner_login: str | None
    start_after: int
    planned: int
    replays: int

    def secrets_at(self, now: datetime) -> list[str]:
        """The secrets that sign at `now`: the present one first."""
        if self.previous_secret is None or self.previous_until is None or now >= self.previous_until:
            return [self.secret]
        return [self.secret, self.previous_secret]


_COLUMNS = tuple(w[name] for name in Webhook.__dataclass_fields__)
Values = dict[str, Any]


def _webhook_of(row: RowMapping) -> Webhook:
    values = {name: row[name] for name in Webhook.__dataclass_fields__}
    values["filter"] = EventFilter(**values["filter"])
    values["event_types"] = tuple(values["event_types"])
    values["exclude_actors"] = tuple(values["exclude_actors"])
    return Webhook(**values)


def insert_webhook(tx: Transaction, values: Values) -> None:
    """Write a new subscription."""
    tx.connection.execute(insert(webhook).values(**values, replays=0, planned=0))


def list_webhooks(tx: Transaction, *, status: WebhookStatus | None = None) -> list[Webhook]:
    """The subscriptions, oldest first; only those with a status, if it is given."""
    statement = select(*_COLUMNS).order_by(w.id)
    if status is not None:
        statement = statement.where(w.status == status)
    return [_webhook_of(row) for row in tx.connection.execute(statement).mappings()]


def find_webhook(tx: Transaction, webhook_id: UUID, *, lock: bool = False) -> Webhook | None:
    """One subscription, or None. `lock` keeps others from changing it until the transaction ends."""
    statement = select(*_COLUMNS).where(w.id == webhook_id)
    row = tx.connection.execute(statement.with_for_update() if lock else statement).mappings().first()
    return _webhook_of(row) if row else None


def update_webhook(tx: Transaction, webhook_id: UUID, values: Values) -> None:
    """Write changed columns of a subscription."""
    tx.connection.execute(update(webhook).where(w.id == webhook_id).values(**values))


def delete_webhook(tx: Transaction, webhook_id: UUID) -> None:
    """Delete a subscription with its deliveries and attempts."""
    for table in (webhook_attempt, webhook_delivery):
        tx.connection.execute(delete(table).where(table.c.webhook_id == webhook_id))
    tx.connection.execute(delete(webhook).where(w.id == webhook_id))


def count_webhooks(tx: Transaction) -> int:
    """How many subscriptions there are."""
    return tx.connection.execute(select(func.count()).select_from(webhook)).scalar_one()


def count_active(tx: Transaction) -> int:
    """How many subscriptions are active."""
    statement = select(func.count()).where(w.status == WebhookStatus.ACTIVE)
    return tx.connection.execute(statement).scalar_one()


# Planning -----------------------------------------------------------------------------------------------------------


def find_complaint_facts(tx: Transaction, ids: Collection[UUID]) -> Mapping[UUID, RowMapping]:
    """The source, team, category and priority of complaints now, by id."""
    c = complaint.c
    statement = select(c.id, c.source, c.team, c.category, c.priority).where(any_of(c.id, ids))
    return {row["id"]: row for row in tx.connection.execute(statement).mappings()}


def find_subject_teams(tx: Transaction, ids: Collection[UUID]) -> Mapping[UUID, str]:
    """The teams of other subjects now, by id."""
    statement = select(subject.c.id, subject.c.team).where(any_of(subject.c.id, ids))
    return {row.id: row.team for row in tx.connection.execute(statement)}


def insert_deliveries(tx: Transaction, rows: Sequence[Values]) -> None:
    """Plan deliveries, in the given order."""
    inserts = bulk.Inserts(tx)
    inserts.add(webhook_delivery, [{"state": DeliveryState.PENDING, "attempts": 0, **row} for row in rows])
    inserts.write()


def wake_webhooks(tx: Transaction, ids: Collection[UUID], at: datetime, *, planned: int = 0) -> None:
    """Let the sender look at subscriptions at `at` or earlier; `planned` first deliveries were added to each."""
    earlier = case((or_(w.wake_at.is_(None), w.wake_at > at), at), else_=w.wake_at)
    statement = update(webhook).where(any_of(w.id, ids))
    tx.connection.execute(statement.values(wake_at=earlier, planned=w.planned + planned))


def find_events(tx: Transaction, *, after: int, up_to: int) -> Sequence[RowMapping]:
    """The events with numbers above `after` up to `up_to`, in commit order."""
    e = event.c
    statement = (
        select(e.sequence, e.id, e.complaint_id, e.subject_id, e.type, e.actor)
        .where(e.sequence > after, e.sequence <= up_to)
        .order_by(e.sequence)
    )
    return tx.connection.execute(statement).mappings().all()


def find_pending_numbers(tx: Transaction, webhook_id: UUID, *, after: int, up_to: int) -> set[int]:
    """The numbers of the events in a range that are planned for a subscription and not sent yet."""
    statement = select(d.event_sequence).where(
        d.webhook_id == webhook_id, _PENDING, d.event_sequence > after, d.event_sequence <= up_to
    )
    return set(tx.connection.execute(statement).scalars())


# Sending ------------------------------------------------------------------------------------------------------------


def has_due(tx: Transaction, now: datetime, *, lease: timedelta) -> bool:
    """True if a subscription has work at `now`."""
    return tx.connection.execute(select(w.id).where(_may_be_leased(now, lease)).limit(1)).first() is not None


def _may_be_leased(now: datetime, lease: timedelta) -> Any:
    # A lease that ends too late was taken while the clock was wrong.
    is_free = or_(w.leased_until.is_(None), w.leased_until <= now, w.leased_until > now + lease)
    return and_(w.wake_at <= now, w.status == WebhookStatus.ACTIVE, is_free)


def claim_candidates(tx: Transaction, now: datetime, *, lease: timedelta, limit: int) -> list[Webhook]:
    """Subscriptions with work at `now`, locked: those without a failure first, then by time."""
    statement = (
        select(*_COLUMNS)
        .where(_may_be_leased(now, lease))
        .order_by(w.failing_since.is_not(None), w.wake_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_webhook_of(row) for row in tx.connection.execute(statement).mappings()]


def lease_webhooks(tx: Transaction, ids: Collection[UUID], lease_id: UUID, until: datetime) -> None:
    """Note that the holder of `lease_id` sends to these subscriptions until `until`."""
    statement = update(webhook).where(any_of(w.id, ids))
    tx.connection.execute(statement.values(lease_id=lease_id, leased_until=until))


def claim_leased(tx: Transaction, ids: Collection[UUID], lease_id: UUID) -> dict[UUID, Webhook]:
    """Lock the subscriptions that are leased under `lease_id`, by id. The others are deleted, or others have them."""
    # In one order in all processes, so that two of them never wait for each other.
    statement = (
        select(*_COLUMNS).where(any_of(w.id, ids), w.lease_id == lease_id).order_by(w.id).with_for_update()
    )
    found = map(_webhook_of, tx.connection.execute(statement).mappings())
    return {one.id: one for one in found}


def end_leases(tx: Transaction, ids: Collection[UUID]) -> None:
    """Give subscriptions back, and note when each has work again."""
    earliest = select(func.min(d.next_attempt_at)).where(d.webhook_id == w.id, _PENDING)
    statement = update(webhook).where(any_of(w.id, ids))
    again_at = earliest.correlate(webhook).scalar_subquery()
    tx.connection.execute(statement.values(lease_id=None, leased_until=None, wake_at=again_at))


def find_due(
    tx: Transaction, webhook_ids: Collection[UUID], now: datetime, *, limit: int
) -> dict[UUID, list[PendingDelivery]]:
    """Up to `limit` due deliveries of subscriptions, by subscription.

    With them comes every earlier pending delivery of the same complaints.
    """
    due = (
        select(d.webhook_id, d.owner_id, d.id)
        .where(any_of(d.webhook_id, webhook_ids), _PENDING, d.next_attempt_at <= now)
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
    ).where(_PENDING)
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
        d.webhook_id == webhook_id, d.owner_id == owner_id, d.id > after_id, _PENDING
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
    statement = update(webhook_delivery).where(d.webhook_id == webhook_id, _PENDING)
    tx.connection.execute(statement.values(state=DeliveryState.FAILED, next_attempt_at=None))


def insert_attempts(tx: Transaction, rows: Sequence[Values]) -> None:
    """Write attempts into the log, in the given order."""
    inserts = bulk.Inserts(tx)
    inserts.add(webhook_attempt, rows)
    inserts.write()


# The log and the checks ---------------------------------------------------------------------------------------------


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


def find_lost_leases(tx: Transaction, before: datetime) -> Sequence[Any]:
    """Subscriptions with a lease that ended before `before`."""
    statement = select(w.id, w.leased_until).where(w.leased_until < before)
    return tx.connection.execute(statement).all()


def find_stuck(tx: Transaction) -> Sequence[UUID]:
    """Active subscriptions with pending deliveries that the sender will not look at, or look at too late."""
    earliest = select(func.min(d.next_attempt_at)).where(d.webhook_id == w.id, _PENDING)
    planned = earliest.correlate(webhook).scalar_subquery()
    statement = select(w.id).where(
        w.status == WebhookStatus.ACTIVE,
        planned.is_not(None),
        or_(w.wake_at.is_(None), w.wake_at > planned),
    )
    return tx.connection.execute(statement).scalars().all()


def count_alerts(tx: Transaction) -> int:
    """How many subscriptions the program disabled."""
    statement = select(func.count()).where(
        w.status == WebhookStatus.DISABLED, w.disabled_reason != DisabledReason.REQUEST
    )
    return tx.connection.execute(statement).scalar_one()


def count_failing(tx: Transaction) -> int:
    """How many active subscriptions have had failures and no success since."""
    statement = select(func.count()).where(w.status == WebhookStatus.ACTIVE, w.failing_since.is_not(None))
    return tx.connection.execute(statement).scalar_one()


def find_end_of_old(tx: Transaction, webhook_id: UUID, before: datetime) -> int | None:
    """The number of the first event with a delivery that is pending, or was attempted since `before`; or None."""
    recent = select(a.id).where(a.delivery_id == d.id, a.at >= before).correlate(webhook_delivery).exists()
    statement = select(func.min(d.event_sequence)).where(d.webhook_id == webhook_id, or_(_PENDING, recent))
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
