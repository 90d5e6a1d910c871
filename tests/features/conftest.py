"""A database with the tables of the fixture annex, on each engine."""

from collections.abc import Callable

import pytest

from complaints.api.feature import Annexes
from complaints.storage.database.connections import open_engine
from complaints.wiring import open_annexes
from tests.conftest import DATABASE_KINDS
from tests.features.category_counts.feature import FEATURE
from tests.features.category_counts.tables import metadata


def make_tables(url: str) -> str:
    """Make the tables of the fixture annex in the database at `url`."""
    engine = open_engine(url)
    metadata.create_all(engine)
    engine.dispose()
    return url


@pytest.fixture(params=DATABASE_KINDS)
def database_url(request: pytest.FixtureRequest, migrated_database_url: Callable[[str], str]) -> str:
    """A database of its own: the tables of the annex must not stay in a database that tests share."""
    return make_tables(migrated_database_url(request.param))


@pytest.fixture
def annexes() -> Annexes:
    """The fixture annex, registered."""
    return open_annexes((FEATURE,))
