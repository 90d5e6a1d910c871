"""API keys. The database stores only the digest of a secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from complaints.domain.vocabulary import AccessRole
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.configuration import api_key


@dataclass(frozen=True, slots=True)
class Key:
    """An API key, without its secret."""

    id: UUID
    name: str
    roles: frozenset[AccessRole]
    source: str
    login: str | None
    expires_at: datetime | None
    revoked_at: datetime | None

    def usable(self, now: datetime) -> bool:
        """True if the key is neither revoked nor expired at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


k = api_key.c


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key, the instant at which it was made, and the actor who made it."""

    key: Key
    created_at: datetime
    created_by: str


_RECORDS = select(
    k.id, k.name, k.roles, k.source, k.login, k.expires_at, k.revoked_at, k.created_at, k.created_by
)


def find_keys(tx: Transaction) -> list[Key]:
    """All keys, by name."""
    return [record.key for record in find_key_records(tx)]


def find_key_records(tx: Transaction) -> list[KeyRecord]:
    """All keys with their origin, by name."""
    records = [_record_of(row) for row in tx.connection.execute(_RECORDS)]
    return sorted(records, key=lambda record: record.key.name)


def find_key_record(tx: Transaction, key_id: UUID) -> KeyRecord | None:
    """The key with its origin; None if there is no such key."""
    row = tx.connection.execute(_RECORDS.where(k.id == key_id)).first()
    return _record_of(row) if row else None


def _record_of(row: Sequence[Any]) -> KeyRecord:
    key_id, name, roles, *members, created_at, created_by = row
    key = Key(key_id, name, frozenset(AccessRole(role) for role in roles), *members)
    return KeyRecord(key, created_at, created_by)


def has_name(tx: Transaction, name: str) -> bool:
    """True if a key, revoked or not, has this name."""
    return tx.connection.execute(select(k.id).where(k.name == name)).first() is not None


def has_secret(tx: Transaction, digest: str) -> bool:
    """True if the secret of a key that is not revoked has this digest."""
    statement = select(k.id).where(k.secret_digest == digest, k.revoked_at.is_(None))
    return tx.connection.execute(statement).first() is not None


def insert_key(tx: Transaction, key: Key, *, digest: str, created_by: str) -> None:
    """Write a new key."""
    statement = insert(api_key).values(
        id=key.id,
        name=key.name,
        roles=sorted(key.roles),
        source=key.source,
        login=key.login,
        secret_digest=digest,
        created_at=tx.now,
        created_by=created_by,
        expires_at=key.expires_at,
    )
    tx.connection.execute(statement)


def replace_secret(tx: Transaction, key_id: UUID, digest: str) -> None:
    """Give a key another secret. A revoked key becomes valid again."""
    tx.connection.execute(update(api_key).where(k.id == key_id).values(secret_digest=digest, revoked_at=None))


def revoke(tx: Transaction, key_id: UUID) -> None:
    """Make a key invalid from now on."""
    statement = update(api_key).where(k.id == key_id, k.revoked_at.is_(None)).values(revoked_at=tx.now)
    tx.connection.execute(statement)
