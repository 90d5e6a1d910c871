"""Databases of houses in operation, for journeys that are not about the making of a database."""

from collections.abc import Callable

import pytest

from tests.journeys.storm import house_in_operation


@pytest.fixture
def operating_url(migrated_database_url: Callable[[str], str]) -> Callable[[str], str]:
    """For an engine, the URL of a new database as `complaints migrate` makes one. Its first key is ADMIN_SECRET."""

    def make(engine: str) -> str:
        url = migrated_database_url(engine)
        house_in_operation(url).close()
        return url

    return make
