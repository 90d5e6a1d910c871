"""Passwords of users, and the links by which they set one. Only a hash and a digest are stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, String, Table, select

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata
from complaints.storage.database.upsert import insert_or_update

user_password = Table(
    "user_password",
    metadata,
    Column("login", ForeignKey("user_account.login"), primary_key=True),
    Column("hash", String(200)),
    Column("changed_at", UtcDateTime),
    Column("link_digest", String(64), unique=True),
    Column("link_expires_at", UtcDateTime),
    Column("link_made_by", String(210)),
)
u = user_password.c


@dataclass(frozen=True, slots=True)
class PasswordLink:
    """The open link of a user, without its token. A new link replaces the one before, and its use removes it."""

    login: str
    expires_at: datetime


def find_hash(tx: Transaction, login: str, *, lock: bool = False) -> str | None:
    """The hash of the user's password; None if there is none. With `lock`, changes wait until this transaction ends."""
    statement = select(u.hash).where(u.login == login)
    found: str | None = tx.connection.execute(
        statement.with_for_update(read=True) if lock else statement
    ).scalar()
    return found


def find_link(tx: Transaction, digest: str) -> PasswordLink | None:
    """The open link whose token has this digest, also after it expired."""
    statement = select(u.login, u.link_expires_at).where(u.link_digest == digest)
    row = tx.connection.execute(statement).first()
    return PasswordLink(*row) if row else None


def write_hash(tx: Transaction, login: str, hash_: str) -> None:
    """Give the user a password. An open link is removed, as nobody may set another password by it."""
    no_link: dict[str, Any] = dict.fromkeys(("link_digest", "link_expires_at", "link_made_by"))
    insert_or_update(tx, user_password, {"login": login, "hash": hash_, "changed_at": tx.now, **no_link})


def replace_hash(tx: Transaction, login: str, hash_: str) -> None:
    """Write another hash of the same password."""
    insert_or_update(tx, user_password, {"login": login, "hash": hash_})


def write_link(tx: Transaction, link: PasswordLink, *, digest: str, made_by: str) -> None:
    """Give the user a link in place of the one before. The password stays."""
    values = {"login": link.login, "link_expires_at": link.expires_at}
    insert_or_update(tx, user_password, {**values, "link_digest": digest, "link_made_by": made_by})
