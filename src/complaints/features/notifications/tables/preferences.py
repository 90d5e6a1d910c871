"""How users want to hear."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    Row,
    SmallInteger,
    String,
    Table,
    select,
)

from complaints.features.notifications.model import (
    MessageChannel,
)
from complaints.features.notifications.preferences import ChosenChannel, NotificationPreference, QuietHours
from complaints.features.notifications.tables import metadata
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime
from complaints.storage.database.upsert import insert_or_update
from complaints.storage.rows.configuration import user_account

notification_preference = Table(
    "notification_preference",
    metadata,
    Column("login", ForeignKey(user_account.c.login), primary_key=True),
    Column("channels", JSON, nullable=False),
    Column("language", String(8), nullable=False),
    Column("timezone", String(100)),
    Column("immediate_level", SmallInteger, nullable=False),
    Column("digest_times", JSON, nullable=False),
    Column("quiet_from", String(5)),
    Column("quiet_until", String(5)),
    Column("remind_every_seconds", Integer),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", name="quiet"),
    CheckConstraint("immediate_level >= 0", name="immediate_level"),
    CheckConstraint("remind_every_seconds > 0", name="remind_every"),
)
p = notification_preference.c


def find_preferences(tx: Transaction, logins: Collection[str]) -> dict[str, NotificationPreference]:
    """The preferences of these users, by login. A user who chose nothing has none here."""
    if not logins:
        return {}
    statement = select(notification_preference).where(p.login.in_(sorted(logins)))
    return {row.login: _read_preference(row) for row in tx.connection.execute(statement)}


def _read_preference(row: Row[Any]) -> NotificationPreference:
    return NotificationPreference(
        channels=tuple(ChosenChannel(MessageChannel(one["channel"]), one["address"]) for one in row.channels),
        language=row.language,
        timezone=row.timezone,
        immediate_level=row.immediate_level,
        digest_times=tuple(row.digest_times),
        quiet=QuietHours(row.quiet_from, row.quiet_until) if row.quiet_from else None,
        remind_every_seconds=row.remind_every_seconds,
    )


def write_preference(tx: Transaction, login: str, preference: NotificationPreference) -> None:
    """Write the preference of a user, in place of the one before."""
    quiet = preference.quiet
    values = {
        "login": login,
        "channels": [asdict(one) for one in preference.channels],
        "language": preference.language,
        "timezone": preference.timezone,
        "immediate_level": preference.immediate_level,
        "digest_times": list(preference.digest_times),
        "quiet_from": quiet.quiet_from if quiet else None,
        "quiet_until": quiet.quiet_until if quiet else None,
        "remind_every_seconds": preference.remind_every_seconds,
        "updated_at": tx.now,
    }
    insert_or_update(tx, notification_preference, values)
