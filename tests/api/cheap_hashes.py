"""Hashes of passwords that cost nothing, for tests in which a password is only a way to a session."""

import pytest

from complaints.use_cases.accounts import hashing

_CHEAP = hashing.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_NOBODYS = _CHEAP.hash("a password that nobody knows")


@pytest.fixture(name="full_cost")
def hashes_of_the_product() -> None:
    """The test of the cost itself asks for this, and gets the hashes of the product."""


@pytest.fixture(name="hashes")
def cheap_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed at the least cost that argon2 takes, and so is the password of nobody."""
    if "full_cost" not in request.fixturenames:
        monkeypatch.setattr(hashing, "_hasher", _CHEAP)
        monkeypatch.setattr(hashing, "NOBODYS_HASH", _NOBODYS)
