"""The shared databases of the tests: no table of the fixture annex is needed."""

from collections.abc import Iterator

import pytest

from tests.conftest import DATABASE_KINDS, ReusedDatabases


@pytest.fixture(params=DATABASE_KINDS)
def database_url(request: pytest.FixtureRequest, reused_databases: ReusedDatabases) -> Iterator[str]:
    with reused_databases.prepare(request.param) as url:
        yield url
