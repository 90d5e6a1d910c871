"""The fixture annex and its tables, and the webhooks."""

from collections.abc import Iterator

import pytest

from complaints.api.feature import Annexes
from complaints.storage.database.connections import open_engine
from complaints.wiring import open_annexes
from tests.features.category_counts.feature import FEATURE
from tests.features.category_counts.tables import metadata
from tests.features.webhooks.webhook_world import WebhookWorld, webhook_world
from tests.support import Scenario


def make_tables(url: str) -> str:
    """Make the tables of the fixture annex in the database at `url`."""
    engine = open_engine(url)
    metadata.create_all(engine)
    engine.dispose()
    return url


@pytest.fixture
def url_with_counts(database_url: str) -> Iterator[str]:
    """The database of the test with the tables of the fixture annex. They must not stay there for the next test."""
    engine = open_engine(database_url)
    metadata.create_all(engine)
    yield database_url
    metadata.drop_all(engine)
    engine.dispose()


@pytest.fixture
def annexes() -> Annexes:
    """The fixture annex, registered."""
    return open_annexes((FEATURE,))


@pytest.fixture
def world(scenario: Scenario) -> Iterator[WebhookWorld]:
    """The webhooks of the database of the test."""
    with webhook_world(scenario) as opened:
        yield opened
