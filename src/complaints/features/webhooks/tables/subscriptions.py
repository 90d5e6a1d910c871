"""Subscriptions, and the lease under which one process sends to each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
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
    DisabledReason,
    EventFilter,
    WebhookStatus,
)
from complaints.features.webhooks.tables import Values, metadata
from complaints.features.webhooks.tables.deliveries import PENDING, webhook_attempt, webhook_delivery
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, one_of

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
    Column("query", String(2000)),  # of a subscription in the form of TMF621, as its owner wrote it
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
d = webhook_delivery.c


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
    query: str | None = None

    def secrets_at(self, now: datetime) -> list[str]:
        """The secrets that sign at `now`: the present one first."""
        if self.previous_secret is None or self.previous_until is None or now >= self.previous_until:
            return [self.secret]
        return [self.secret, self.previous_secret]


_COLUMNS = tuple(w[name] for name in Webhook.__dataclass_fields__)


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


def count_webhooks(tx: Transaction, *, created_by: str | None = None) -> int:
    """How many subscriptions there are, of all or of one actor."""
    statement = select(func.count()).select_from(webhook)
    if created_by is not None:
        statement = statement.where(w.created_by == created_by)
    return tx.connection.execute(statement).scalar_one()


def count_active(tx: Transaction) -> int:
    """How many subscriptions are active."""
    statement = select(func.count()).where(w.status == WebhookStatus.ACTIVE)
    return tx.connection.execute(statement).scalar_one()


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


def wake_webhooks(tx: Transaction, ids: Collection[UUID], at: datetime, *, planned: int = 0) -> None:
    """Let the sender look at subscriptions at `at` or earlier; `planned` first deliveries were added to each."""
    earlier = case((or_(w.wake_at.is_(None), w.wake_at > at), at), else_=w.wake_at)
    statement = update(webhook).where(any_of(w.id, ids))
    tx.connection.execute(statement.values(wake_at=earlier, planned=w.planned + planned))


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
    earliest = select(func.min(d.next_attempt_at)).where(d.webhook_id == w.id, PENDING)
    statement = update(webhook).where(any_of(w.id, ids))
    again_at = earliest.correlate(webhook).scalar_subquery()
    tx.connection.execute(statement.values(lease_id=None, leased_until=None, wake_at=again_at))


def find_lost_leases(tx: Transaction, before: datetime) -> Sequence[Any]:
    """Subscriptions with a lease that ended before `before`."""
    statement = select(w.id, w.leased_until).where(w.leased_until < before)
    return tx.connection.execute(statement).all()


def find_stuck(tx: Transaction) -> Sequence[UUID]:
    """Active subscriptions with pending deliveries that the sender will not look at, or look at too late."""
    earliest = select(func.min(d.next_attempt_at)).where(d.webhook_id == w.id, PENDING)
    planned = earliest.correlate(webhook).scalar_subquery()
    statement = select(w.id).where(
        w.status == WebhookStatus.ACTIVE,
        planned.is_not(None),
        or_(w.wake_at.is_(None), w.wake_at > planned),
    )
    return tx.connection.execute(statement).scalars().all()
