"""A wall clock of the application that a test can move. Sessions and throttles live by it, in a sandbox too."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from complaints.wiring import wall_now
from tests.api_client import ApiClient


class Clock:
    """The wall clock of the application, which a test can move."""

    def __init__(self) -> None:
        self.now = wall_now()

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(name="clock")
def wall_clock(client: ApiClient) -> Iterator[Clock]:
    made = Clock()
    app: Any = client.app
    app.state.wall = made
    yield made
    app.state.wall = wall_now
