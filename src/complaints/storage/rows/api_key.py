"""API keys. The database stores only the digest of a secret."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from complaints.domain.vocabulary import AccessRole
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.configuration import api_key
from complaints.storage.rows.key_use import key_use


@dataclass(frozen=True, slots=True)
class Key:
    """An API key, without its secret. After a rotation the former secret works until before `previous_until`."""

    id: UUID
    name: str
    roles: frozenset[AccessRole]
    source: str
    login: str | None
    expires_at: datetime | None
    revoked_at: datetime | None
    previous_until: datetime | None = None

    def usable(self, now: datetime) -> bool:
        """True if the key is neither revoked nor expired at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


k = api_key.c


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key, the instant at which it was made, the actor who made it, and the written last use."""

    key: Key
    created_at: datetime
    created_by: str
    last_used_at: datetime | None


_KEYS = select(k.id, k.name, k.roles, k.source, k.login, k.expires_at, k.revoked_at, k.previous_until)
_RECORDS = _KEYS.add_columns(k.created_at, k.created_by, key_use.c.last_used_at).outerjoin_from(
    api_key, key_use
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
    *members, created_at, created_by, last_used_at = row
    return KeyRecord(_key_of(members), created_at, created_by, last_used_at)


def _key_of(members: Sequence[Any]) -> Key:
    key_id, name, roles, *others = members
    return Key(key_id, name, frozenset(AccessRole(role) for role in roles), *others)


def find_keys_by_digest(tx: Transaction) -> dict[str, Key]:
    """Every key under the digest of its secret, and once more under that of its former secret.

    Under the former digest the key expires at the end of the overlap, or earlier.
    """
    rows = tx.connection.execute(_KEYS.add_columns(k.secret_digest, k.previous_digest)).all()
    keys = [(_key_of(members), digest, former) for *members, digest, former in rows]
    former = {former: _until_rotated_out(key) for key, _, former in keys if former is not None}
    return former | {digest: key for key, digest, _ in keys}


def _until_rotated_out(key: Key) -> Key:
    ends = [instant for instant in (key.expires_at, key.previous_until) if instant is not None]
    return replace(key, expires_at=min(ends))


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
    """Give a key another secret. A revoked key becomes valid again, and no former secret works."""
    values = {"secret_digest": digest, "revoked_at": None, "previous_digest": None, "previous_until": None}
    tx.connection.execute(update(api_key).where(k.id == key_id).values(**values))


def rotate_secret(tx: Transaction, key_id: UUID, digest: str, *, previous_until: datetime | None) -> None:
    """Give a key another secret. The present one works until before `previous_until`; None: no longer."""
    values: dict[str, Any] = {
        "secret_digest": digest,
        "previous_digest": k.secret_digest if previous_until else None,
        "previous_until": previous_until,
    }
    tx.connection.execute(update(api_key).where(k.id == key_id).values(**values))


def revoke(tx: Transaction, key_id: UUID) -> None:
    """Make a key invalid from now on."""
    statement = update(api_key).where(k.id == key_id, k.revoked_at.is_(None)).values(revoked_at=tx.now)
    tx.connection.execute(statement)
