"""The client against the real API on each engine, without a network."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from complaints_client import Client, Patience
from tests.support import ADMIN_SECRET

QUICK = Patience(seconds=0.5, first_pause=0.01, longest_pause=0.02)


@pytest.fixture
def connect(client: TestClient) -> Callable[..., Client]:
    """Makes a client of the API with a key, by default one with full rights."""
    return lambda secret=ADMIN_SECRET: Client(
        "http://testserver", secret, patience=QUICK, transport=client._transport
    )


@pytest.fixture
def api(connect: Callable[..., Client]) -> Client:
    """A client with full rights."""
    return connect()
