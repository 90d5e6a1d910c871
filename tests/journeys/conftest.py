"""Databases of houses in operation, and an environment without certificates."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.storm import house_in_operation


@pytest.fixture(autouse=True)
def no_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Journeys speak plain HTTP. Each new client would load the certificates of the world, which takes 20 ms."""
    monkeypatch.setenv("SSL_CERT_FILE", "")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


@pytest.fixture
def operating_url(migrated_database_url: Callable[[str], str]) -> Callable[[str], str]:
    """For an engine, the URL of a new database as `complaints migrate` makes it. Its first key is ADMIN_SECRET.

    Journeys that are not about the making of a database begin here.
    """

    def make(engine: str) -> str:
        url = migrated_database_url(engine)
        house_in_operation(url).close()
        return url

    return make
