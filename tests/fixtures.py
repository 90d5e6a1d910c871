"""Fixtures over a seeded database with a test clock, on each engine."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from complaints.use_cases.service import Service
from tests.journeys.running_server import Launcher, Nursery, launching, nursing
from tests.support import Scenario, api_client, make_template, opened_service


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], None]:
    """Every database of a test is a copy of one that was migrated and seeded as a sandbox."""
    return make_template


@pytest.fixture
def service(database_url: str) -> Iterator[Service]:
    """The engine on a fresh database; the test runs on SQLite and on PostgreSQL."""
    with opened_service(database_url) as opened:
        yield opened


@pytest.fixture
def scenario(service: Service) -> Scenario:
    """Short ways to live a complaint."""
    return Scenario(service)


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    """The API, called with full rights."""
    with api_client(service) as opened:
        yield opened


@pytest.fixture(scope="session")
def process_nursery() -> Iterator[Nursery]:
    """Begins commands of the product; one in each process that runs tests."""
    with nursing() as nursery:
        yield nursery


@pytest.fixture
def launcher(tmp_path: Path, process_nursery: Nursery) -> Iterator[Launcher]:
    """Starts processes of the product that end with the test."""
    directory = tmp_path / "processes"
    directory.mkdir()
    with launching(directory, process_nursery) as opened:
        yield opened
