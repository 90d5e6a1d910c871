"""API keys; their secrets are stored only as digests."""

from uuid import UUID

from sqlalchemy import insert, select, update

from complaints.domain.vocabulary import AccessRole
from complaints.storage.catalogue import Key
from complaints.storage.reference import api_key
from complaints.storage.unit_of_work import Transaction

k = api_key.c


def find_keys(tx: Transaction) -> list[Key]:
    """Every key, by name."""
    statement = select(k.id, k.name, k.roles, k.source, k.login, k.expires_at, k.revoked_at).order_by(k.name)
    return [
        Key(key_id, name, frozenset(AccessRole(r) for r in roles), source, login, expires, revoked)
        for key_id, name, roles, source, login, expires, revoked in tx.connection.execute(statement)
    ]


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
