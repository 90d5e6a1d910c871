"""Robots of group chats."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Row, String, Table, Text, delete, select, update

from complaints.features.notifications.model import (
    RobotAccount,
    RobotKind,
)
from complaints.features.notifications.tables import metadata
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, one_of
from complaints.storage.database.upsert import insert_or_update

robot = Table(
    "robot",
    metadata,
    Column("code", String(100), primary_key=True),
    Column("kind", one_of(RobotKind), nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text),
    Column("teams", JSON, nullable=False),
    Column("language", String(8), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("sent_at", JSON, nullable=False),  # the last messages of a minute, by the wall clock
    Column("barred_until", UtcDateTime),  # the wall clock
    Column("updated_at", UtcDateTime, nullable=False),
)
r = robot.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Robot:
    """A robot of a group chat.

    It hears of the steps of its `teams`. `sent_at` are the times of its last messages, and it gets none before
    `barred_until`, both by the wall clock.
    """

    code: str
    account: RobotAccount
    teams: tuple[str, ...]
    language: str
    active: bool
    sent_at: tuple[datetime, ...] = ()
    barred_until: datetime | None = None


def find_robots(tx: Transaction) -> Sequence[Robot]:
    """All robots, by code."""
    return [_read_robot(row) for row in tx.connection.execute(select(robot).order_by(r.code))]


def find_robot(tx: Transaction, code: str, *, lock: bool = False) -> Robot | None:
    """The robot with this code, or None. `lock` keeps other transactions from changing it."""
    statement = select(robot).where(r.code == code)
    row = tx.connection.execute(statement.with_for_update() if lock else statement).first()
    return _read_robot(row) if row else None


def _read_robot(row: Row[Any]) -> Robot:
    return Robot(
        code=row.code,
        account=RobotAccount(row.kind, row.url, row.secret),
        teams=tuple(row.teams),
        language=row.language,
        active=row.active,
        sent_at=tuple(datetime.fromisoformat(text) for text in row.sent_at),
        barred_until=row.barred_until,
    )


def write_robot(tx: Transaction, new: Robot) -> None:
    """Write a robot, in place of the one with the same code."""
    values = {
        "code": new.code,
        "kind": new.account.kind,
        "url": new.account.url,
        "secret": new.account.secret,
        "teams": list(new.teams),
        "language": new.language,
        "active": new.active,
        "sent_at": [at.isoformat() for at in new.sent_at],
        "barred_until": new.barred_until,
        "updated_at": tx.now,
    }
    insert_or_update(tx, robot, values)


def note_sent(tx: Transaction, sender: Robot, sent_at: Sequence[datetime]) -> None:
    """Note the times of the last messages of a robot."""
    values = {"sent_at": [at.isoformat() for at in sent_at]}
    tx.connection.execute(update(robot).where(r.code == sender.code).values(values))


def bar_robot(tx: Transaction, code: str, until: datetime) -> None:
    """Send nothing to a robot until this time of the wall clock."""
    tx.connection.execute(update(robot).where(r.code == code).values(barred_until=until))


def delete_robot(tx: Transaction, code: str) -> bool:
    """Delete a robot; False if there is none. What waits for it goes the next way."""
    return tx.connection.execute(delete(robot).where(r.code == code)).rowcount == 1
