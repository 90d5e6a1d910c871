"""Use cases for API keys: create, find, rotate, revoke. A secret is shown once and stored only as its digest."""

import base64
import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from complaints.domain.errors import Conflict, InvalidContent, NotFound
from complaints.domain.staff import User
from complaints.domain.time.preview import parse_duration
from complaints.domain.vocabulary import AccessRole, AuditSubject
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.api_key import Key as Key
from complaints.storage.rows.api_key import KeyRecord as KeyRecord
from complaints.storage.rows.api_key import (
    find_key_record,
    find_key_records,
    find_keys,
    has_name,
    insert_key,
    revoke,
    rotate_secret,
)
from complaints.use_cases.access import RIGHTS, Caller, Right, refuse_stronger, roles_within
from complaints.use_cases.commands.configuration import IDENTIFIER
from complaints.use_cases.configuration.changing import check_user, claim_to_change, finish_change
from complaints.use_cases.service import Service

_PREFIX = "cmp_"
_PURPOSE = b"complaints: the secret of a key in a stored answer"
_NONCE_BYTES = 12
LONGEST_OVERLAP = timedelta(days=30)


def digest_of(secret: str) -> str:
    """The digest under which a secret is stored. A secret is long and random, so nobody can guess it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_key(
    service: Service,
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
    """Create a key. Returns the key and its secret; without `secret` a random secret is made.

    Raises Forbidden if the key would have more rights than the caller. Raises Conflict if the name exists.
    Raises InvalidContent for no role, and for more rights than the user has. It also does so for a name that is no
    identifier, an unknown user or an expiry in the past.
    """
    configuration = claim_to_change(service, tx, caller, Right.ADMINISTER)
    _refuse_stronger(caller, roles)
    if not re.fullmatch(IDENTIFIER, name):
        raise InvalidContent.at(
            "/name", "A name has letters, digits and . _ @ -; it begins with a letter or a digit."
        )
    if login is not None:
        check_user(configuration, login, "/user")
        _check_roles_of_user(roles, configuration.directory.users[login])
    if expires_at is not None and expires_at <= tx.now:
        raise InvalidContent.at("/expires_at", "A key expires in the future.")
    if has_name(tx, name):
        raise Conflict(f"There is a key named {name!r} already.")
    secret = secret or _make_secret()
    key = Key(service.new_id(), name, frozenset(roles), source or name, login, expires_at, None)
    insert_key(tx, key, digest=digest_of(secret), created_by=caller.actor)
    finish_change(tx, caller, AuditSubject.KEY, str(key.id))
    return key, secret


def _make_secret() -> str:
    return _PREFIX + secrets.token_urlsafe(32)


def _check_roles_of_user(roles: Collection[AccessRole], user: User) -> None:
    if user.roles is None:
        return
    acting = roles_within(frozenset(roles), frozenset(user.roles))
    for number, role in enumerate(roles):
        if not RIGHTS[role] <= frozenset().union(*(RIGHTS[own] for own in acting)):
            raise InvalidContent.at(
                f"/roles/{number}",
                f"{user.login} has fewer rights than {role}: give the user the role first.",
            )


def _refuse_stronger(caller: Caller, roles: Collection[AccessRole]) -> None:
    if not roles:
        raise InvalidContent.at("/roles", "A key has at least one role.")
    refuse_stronger(caller, roles, "A key cannot make one with more rights than its own.")


def rotate_key(
    service: Service, tx: Transaction, caller: Caller, key_id: UUID, *, overlap: str
) -> tuple[Key, str]:
    """Give a key a new secret. The present secret works for `overlap` more, and no older one does.

    `overlap` is an ISO 8601 duration of at most 30 days. Returns the key and the new secret. Raises NotFound, and
    Forbidden if the key has more rights than the caller. Raises Conflict if the key is revoked or expired. Raises
    InvalidContent for another overlap.
    """
    claim_to_change(service, tx, caller, Right.ADMINISTER)
    key = load_record(tx, key_id).key
    _refuse_stronger(caller, key.roles)
    if not key.usable(tx.now):
        raise Conflict("This key is revoked or expired: make another one.")
    secret = _make_secret()
    length = _read_overlap(overlap)
    until = tx.now + length if length else None
    rotate_secret(tx, key_id, digest_of(secret), previous_until=until)
    finish_change(tx, caller, AuditSubject.KEY, str(key_id))
    return replace(key, previous_until=until), secret


def _read_overlap(text: str) -> timedelta:
    read = parse_duration(text, pointer="/overlap")
    length = timedelta(days=read.days, microseconds=read.microseconds)
    if read.months or length > LONGEST_OVERLAP:
        raise InvalidContent.at(
            "/overlap", f"An overlap lasts at most {LONGEST_OVERLAP.days} days, such as PT24H."
        )
    return length


def find_key(tx: Transaction, name: str) -> Key:
    """The key of this name. Raises NotFound."""
    found = next((key for key in find_keys(tx) if key.name == name), None)
    if found is None:
        raise NotFound(f"There is no key {name!r}.")
    return found


def revoke_key(service: Service, tx: Transaction, caller: Caller, key_id: UUID) -> None:
    """Revoke a key for ever. To revoke it again changes nothing.

    Raises NotFound. Raises Conflict for the last key that may create other keys.
    """
    configuration = claim_to_change(service, tx, caller, Right.ADMINISTER)
    key = load_record(tx, key_id).key
    others = [other for other in configuration.keys.values() if other.id != key_id]
    if _administers(key, configuration, tx.now) and not any(
        _administers(k, configuration, tx.now) for k in others
    ):
        raise Conflict("This is the last key that may make others: make another one with role admin first.")
    revoke(tx, key_id)
    finish_change(tx, caller, AuditSubject.KEY, str(key_id))


def _administers(key: Key, configuration: Configuration, now: datetime) -> bool:
    user = configuration.directory.users.get(key.login) if key.login else None
    return AccessRole.ADMIN in _acting_roles(key, user) and key.usable(now) and (user is None or user.active)


def _acting_roles(key: Key, user: User | None) -> frozenset[AccessRole]:
    if user is None or user.roles is None:
        return key.roles
    return roles_within(key.roles, frozenset(user.roles))


def list_records(tx: Transaction) -> list[KeyRecord]:
    """Every key by name, also the revoked keys, each with the time it was made and its maker."""
    return find_key_records(tx)


def load_record(tx: Transaction, key_id: UUID) -> KeyRecord:
    """One key, with the time it was made and its maker. Raises NotFound."""
    found = find_key_record(tx, key_id)
    if found is None:
        raise NotFound("There is no such key.")
    return found


def encrypt_secret(secret: str, password: bytes, *, name: bytes) -> str:
    """Encrypt the secret of a new key for the stored answer. `password` is long and random, `name` is the key's id."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = _cipher(password).encrypt(nonce, secret.encode(), name)
    return base64.b64encode(nonce + sealed).decode()


def decrypt_secret(stored: str, password: bytes, *, name: bytes) -> str:
    """The secret that `encrypt_secret` encrypted with the same password and name. Raises Conflict for any other."""
    try:
        content = base64.b64decode(stored, validate=True)
        return _cipher(password).decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], name).decode()
    except (InvalidTag, ValueError) as error:  # ValueError: stored by an older version, or cut
        raise Conflict(
            "The secret of this key can no longer be shown: revoke the key and make another."
        ) from error


def _cipher(password: bytes) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, salt=None, info=_PURPOSE).derive(password))


def known_caller(service: Service, secret: str) -> Caller | None:
    """The caller with that secret, found without the database; None if the database must be asked.

    That works if the configuration in memory is fresh and the key neither expires nor is revoked.
    """
    configuration = service.cache.trusted()
    key = configuration.keys.get(digest_of(secret)) if configuration else None
    if configuration is None or key is None or key.expires_at is not None or key.revoked_at is not None:
        return None
    return _caller(service, key, configuration)


def caller_of(service: Service, tx: Transaction, secret: str) -> Caller | None:
    """The caller with that secret. None if no key has it, or the key is revoked or expired."""
    digest = digest_of(secret)
    configuration = service.configuration(tx)
    if digest not in configuration.keys:
        configuration = service.cache.current(tx, certain=True)
    key = configuration.keys.get(digest)
    if key is None or not key.usable(tx.now):
        return None
    return _caller(service, key, configuration)


def find_key_caller(configuration: Configuration, name: str, now: datetime) -> Caller | None:
    """The caller of the key with this name at `now`; None if it is not usable. This is no use of the key."""
    key = next((key for key in configuration.keys.values() if key.name == name), None)
    return _acting_caller(key, configuration) if key and key.usable(now) else None


def _caller(service: Service, key: Key, configuration: Configuration) -> Caller | None:
    caller = _acting_caller(key, configuration)
    if caller is not None:
        service.key_uses.note(key.id)
    return caller


def _acting_caller(key: Key, configuration: Configuration) -> Caller | None:
    user = configuration.directory.users.get(key.login) if key.login else None
    if user is not None and not user.active:
        return None
    reach = configuration.reach_of(key.login) if key.login else None
    return Caller(key.name, _acting_roles(key, user), key.source, key.login, reach)
