"""The ordinary databases, since the annex has no tables of its own, and a reader."""

from collections.abc import Iterator

import pytest

from complaints.use_cases.service import Service
from tests.conftest import database_url as database_url
from tests.features.complainant_page.pages import Reader
from tests.support import Scenario, api_client


@pytest.fixture
def reader(service: Service, scenario: Scenario) -> Iterator[Reader]:
    """A browser without a key."""
    with api_client(service) as client:
        del client.headers["Authorization"]
        yield Reader(client, scenario)
