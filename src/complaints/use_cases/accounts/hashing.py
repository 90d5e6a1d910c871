"""Hashes of passwords: argon2id with the parameters that OWASP recommends. A hash takes 19 MiB and some 30 ms.

Nothing here may run inside a transaction or on an event loop.
"""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
NOBODYS_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$D1IF7jU20vv8f3gWkwPrHA$6SZjJ2RR2f/E/soRHjYZ+KREzIkQrQlz8O+E8zAL7Bw"
)
"""The hash of a random password that nobody knows, with the parameters of today."""


def make_hash(password: str) -> str:
    """The hash of a password, with a salt of its own."""
    return _hasher.hash(password)


def fits(password: str, known: str | None) -> bool:
    """True if the password has this hash. Without a hash it is False, after the same work."""
    try:
        _hasher.verify(known or NOBODYS_HASH, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return known is not None


def is_outdated(known: str) -> bool:
    """True if the hash was made with other parameters than those of today."""
    return _hasher.check_needs_rehash(known)
