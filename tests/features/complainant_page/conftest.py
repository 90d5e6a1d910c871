"""A reader of the pages of a complainant."""

from collections.abc import Iterator

import pytest

from complaints.use_cases.service import Service
from tests.features.complainant_page.pages import Reader
from tests.support import Scenario, api_client


@pytest.fixture
def reader(service: Service, scenario: Scenario) -> Iterator[Reader]:
    """A browser without a key."""
    with api_client(service) as client:
        del client.headers["Authorization"]
        yield Reader(client, scenario)
