"""Reference data: departments, teams, users, categories, calendars, policies and keys.

They are few, and every request reads them, so each process keeps them all (`storage.configuration`). Every write
raises `reference_version`, so the other processes notice it.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    Uuid,
    insert,
    select,
    update,
)

from complaints.domain.vocabulary import Cause, Nature, UserScope
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata, one_of

ReferenceTable = Table  # so that a use case can name the type without an import of SQLAlchemy

user_account = Table(
    "user_account",
    metadata,
    Column("login", String(200), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("email", String(254)),
    Column("active", Boolean, nullable=False),
    Column("deputy", ForeignKey("user_account.login")),
    Column("absent_from", UtcDateTime),
    Column("absent_until", UtcDateTime),
    Column("roles", JSON(none_as_null=True)),
    Column("teams", JSON(none_as_null=True)),
    Column("scope", one_of(UserScope, checked=False)),
    Column("scope_names", JSON(none_as_null=True)),
    CheckConstraint("absent_until IS NULL OR absent_from IS NOT NULL", name="absence_begins"),
)

department = Table(
    "department",
    metadata,
    Column("code", String(200), primary_key=True),
    Column("names", JSON, nullable=False),
    Column("head", ForeignKey("user_account.login")),
    Column("deputy", ForeignKey("user_account.login")),
    Column("parent", ForeignKey("department.code")),
)

team = Table(
    "team",
    metadata,
    Column("code", String(200), primary_key=True),
    Column("names", JSON, nullable=False),
    Column("department", ForeignKey("department.code"), nullable=False),
    Column("lead", ForeignKey("user_account.login")),
    Column("deputy", ForeignKey("user_account.login")),
    Column("active", Boolean, nullable=False),
)

category = Table(
    "category",
    metadata,
    Column("code", String(200), primary_key=True),
    Column("parent", ForeignKey("category.code")),
    Column("names", JSON, nullable=False),
    Column("cause", one_of(Cause)),
    Column("nature", one_of(Nature)),
    Column("team", ForeignKey("team.code")),
    Column("active", Boolean, nullable=False),
)

calendar = Table(
    "calendar",
    metadata,
    Column("code", String(200), primary_key=True),
    Column("document", JSON, nullable=False),
)

policy = Table(
    "policy",
    metadata,
    Column("code", String(200), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("effective_at", UtcDateTime, nullable=False),
    Column("applied_at", UtcDateTime, nullable=False),
    Column("applied_by", String(210), nullable=False),
    Column("text", Text, nullable=False),
    Column("document", JSON, nullable=False),
    CheckConstraint("version >= 1", name="version"),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("roles", JSON, nullable=False),
    Column("source", String(200), nullable=False),
    Column("login", ForeignKey("user_account.login")),
    Column("secret_digest", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(210), nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("previous_digest", String(64)),
    Column("previous_until", UtcDateTime),
)

duty_rota = Table(
    "duty_rota",
    metadata,
    Column("team", ForeignKey("team.code"), primary_key=True),
    Column("shifts", JSON, nullable=False),
)

reference_version = Table(
    "reference_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("id = 1", name="single"),
)


def current_version(tx: Transaction) -> int:
    """The version of the reference data that this transaction sees."""
    version: int = tx.connection.execute(select(reference_version.c.version)).scalar_one()
    return version


def claim_version(tx: Transaction) -> int:
    """The version of the reference data, locked until this transaction ends. Other writers wait.

    SQLite has one writer, and this transaction is already the writer.
    """
    statement = select(reference_version.c.version).with_for_update()
    version: int = tx.connection.execute(statement).scalar_one()
    return version


def raise_version(tx: Transaction) -> None:
    """Let every process notice, after commit, that reference data changed.

    Call it last. A cache that reads in this transaction afterwards would keep data that may be rolled back.
    """
    version = reference_version.c.version
    tx.connection.execute(update(reference_version).values(version=version + 1))


def claim_active_user(tx: Transaction, login: str) -> bool:
    """True if the user is active. Until this transaction ends, `lock_user` waits in another one."""
    active = select(user_account.c.active).where(user_account.c.login == login)
    return bool(tx.connection.execute(active.with_for_update(read=True, key_share=True)).scalar())


def lock_user(tx: Transaction, login: str) -> None:
    """Wait for all transactions that give work to the user, and let later ones wait until this one ends."""
    tx.connection.execute(select(user_account.c.login).where(user_account.c.login == login).with_for_update())


def insert_row(tx: Transaction, table: Table, values: dict[str, Any]) -> None:
    """Write a new row of reference data."""
    tx.connection.execute(insert(table).values(**values))


def update_row(tx: Transaction, table: Table, key: str, values: dict[str, Any]) -> None:
    """Change the row with this `key` in a table with one key column."""
    [key_column] = table.primary_key
    tx.connection.execute(update(table).where(key_column == key).values(**values))
