"""Fixtures over real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.running_server import Launcher, launching


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    """Starts processes of the product that end with the test."""
    directory = tmp_path / "processes"
    directory.mkdir()
    with launching(directory) as opened:
        yield opened
