"""The ordinary databases: the annex has no tables of its own."""

from collections.abc import Iterator

import pytest

from tests.conftest import DATABASE_KINDS, ReusedDatabases


@pytest.fixture(params=DATABASE_KINDS)
def database_url(request: pytest.FixtureRequest, reused_databases: ReusedDatabases) -> Iterator[str]:
    """A database with the newest schema, freshly seeded; the test runs on each engine."""
    with reused_databases.prepare(request.param) as url:
        yield url
