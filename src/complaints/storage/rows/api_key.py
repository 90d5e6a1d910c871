"""API keys; their secrets are stored only as digests."""

from dataclasses import dataclass
from datetime import datetime
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
        """Neither revoked nor expired at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


k = api_key.c


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key, and who made it when."""

    key: Key
    created_at: datetime
    created_by: str


def find_keys(tx: Transaction) -> list[Key]:
    """Every key, by name."""
    return [record.key for record in find_key_records(tx)]


def find_key_records(tx: Transaction) -> list[KeyRecord]:
    """Every key with its origin, by name."""
    statement = select(
        k.id, k.name, k.roles, k.source, k.login, k.expires_at, k.revoked_at, k.created_at, k.created_by
    )
    records = [
        KeyRecord(Key(key_id, name, frozenset(AccessRole(r) for r in roles), *rest), created_at, created_by)
        for key_id, name, roles, *rest, created_at, created_by in tx.connection.execute(statement)
    ]
    return sorted(records, key=lambda record: record.key.name)


def has_secret(tx: Transaction, digest: str) -> bool:
    """Whether a key, revoked or not, has this secret."""
    return tx.connection.execute(select(k.id).where(k.secret_digest == digest)).first() is not None


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
    """Give a key another secret; it is valid again if it was revoked."""
    tx.connection.execute(update(api_key).where(k.id == key_id).values(secret_digest=digest, revoked_at=None))


def revoke(tx: Transaction, key_id: UUID) -> None:
    """Make a key useless, from now on."""
    statement = update(api_key).where(k.id == key_id, k.revoked_at.is_(None)).values(revoked_at=tx.now)
    tx.connection.execute(statement)
