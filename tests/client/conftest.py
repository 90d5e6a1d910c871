"""The client against the real API, without a network.

The embedded database is enough here: no answer of the API depends on the engine, and the tests of the API run on both.
"""

from collections.abc import Callable, Iterator

import pytest

from complaints_client import Client, Patience
from tests.api_client import ApiClient
from tests.conftest import ReusedDatabases
from tests.support import ADMIN_SECRET

QUICK = Patience(seconds=0.5, first_pause=0.01, longest_pause=0.02)


@pytest.fixture
def database_url(reused_databases: ReusedDatabases) -> Iterator[str]:
    """A freshly seeded embedded database."""
    with reused_databases.prepare("sqlite") as url:
        yield url


@pytest.fixture
def connect(client: ApiClient) -> Callable[..., Client]:
    """Makes a client of the API with a key, by default one with full rights."""
    return lambda secret=ADMIN_SECRET: Client(
        "http://testserver", secret, patience=QUICK, transport=client._transport
    )


@pytest.fixture
def api(connect: Callable[..., Client]) -> Client:
    """A client with full rights."""
    return connect()
