"""API keys: made, found, revoked. A secret is shown once and stored only as its digest."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from complaints.domain.errors import Conflict, Forbidden, InvalidContent, NotFound
from complaints.domain.vocabulary import AccessRole
from complaints.handling.access import Caller, Right
from complaints.handling.engine import Engine
from complaints.storage import reference
from complaints.storage.catalogue import Key
from complaints.storage.key import find_keys, insert_key, revoke
from complaints.storage.unit_of_work import Transaction

_PREFIX = "cmp_"
SHORTEST_SECRET = 24


def digest_of(secret: str) -> str:
    """What is stored of a secret. Secrets are long and random, so a plain digest cannot be guessed back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_key(
    engine: Engine,
    tx: Transaction,
    caller: Caller,
    *,
    name: str,
    roles: Collection[AccessRole],
    source: str | None = None,
    login: str | None = None,
    expires_at: datetime | None = None,
    secret: str | None = None,
) -> tuple[Key, str]:
    """Make a key; the key and its secret. Raises Forbidden for one stronger than the caller, Conflict for a taken name."""
    caller.require(Right.ADMINISTER)
    _refuse_stronger(caller, roles)
    if login is not None and login not in engine.catalogue(tx).directory.users:
        raise InvalidContent.at("/user", f"There is no user {login!r}.")
    if expires_at is not None and expires_at <= tx.now:
        raise InvalidContent.at("/expires_at", "A key expires in the future.")
    if any(key.name == name for key in find_keys(tx)):
        raise Conflict(f"There is a key named {name!r} already.")
    secret = secret or _PREFIX + secrets.token_urlsafe(32)
    key = Key(engine.new_id(), name, frozenset(roles), source or name, login, expires_at, None)
    insert_key(tx, key, digest=digest_of(secret), created_by=caller.actor)
    reference.raise_version(tx)
    return key, secret


def _refuse_stronger(caller: Caller, roles: Collection[AccessRole]) -> None:
    if not roles:
        raise InvalidContent.at("/roles", "A key has at least one role.")
    wanted = Caller(name="", roles=frozenset(roles), source="").rights
    if not wanted <= caller.rights:
        raise Forbidden("A key cannot make one with more rights than its own.")


def revoke_key(engine: Engine, tx: Transaction, caller: Caller, key_id: UUID) -> None:
    """Revoke a key, for good. Raises NotFound; revoking it again changes nothing."""
    caller.require(Right.ADMINISTER)
    if not any(key.id == key_id for key in find_keys(tx)):
        raise NotFound("There is no such key.")
    revoke(tx, key_id)
    reference.raise_version(tx)


def caller_of(engine: Engine, tx: Transaction, secret: str) -> Caller | None:
    """Who holds `secret`; None if nobody, or the key is revoked or expired."""
    digest = digest_of(secret)
    catalogue = engine.catalogue(tx)
    if digest not in catalogue.keys:
        catalogue = engine.cache.current(tx, certain=True)
    key = catalogue.keys.get(digest)
    if key is None or not key.usable(tx.now):
        return None
    user = catalogue.directory.users.get(key.login) if key.login else None
    if user is not None and not user.active:
        return None
    return Caller(key.name, key.roles, key.source, key.login)
