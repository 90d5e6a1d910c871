"""Fixtures over a seeded database with a test clock, on each engine."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from complaints.use_cases.service import Service
from tests.api_client import ApiClient, stop_event_loop
from tests.fork_client import ForkServer, shared_fork_server
from tests.http_receiver import HttpReceiver, http_receiver
from tests.journeys.running_server import Launcher, launching
from tests.support import Scenario, api_client, check_all, make_template, opened_service


def pytest_unconfigure() -> None:
    """The event loop of the clients ends with the tests."""
    stop_event_loop()


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], None]:
    """Every database of a test is a copy of a database that was migrated and seeded as a sandbox."""
    return make_template


@pytest.fixture
def service(request: pytest.FixtureRequest, database_url: str) -> Iterator[Service]:
    """The engine on a fresh database; the test runs on SQLite and on PostgreSQL."""
    is_reused = request.node.get_closest_marker("new_database") is None
    with opened_service(
        database_url, stays_connected=is_reused and database_url.startswith("postgresql")
    ) as opened:
        yield opened


@pytest.fixture
def everything_holds(service: Service) -> Iterator[None]:
    """After each test, `complaints check` finds nothing."""
    yield
    assert list(check_all(service)) == []


@pytest.fixture
def scenario(service: Service) -> Scenario:
    """Short ways to register complaints and to act on them."""
    return Scenario(service)


@pytest.fixture
def client(service: Service) -> Iterator[ApiClient]:
    """The API, called with full rights."""
    with api_client(service) as opened:
        yield opened


@pytest.fixture(scope="session")
def fork_server(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ForkServer]:
    """Starts processes of the product as forks. All processes that run tests share one fork server."""
    own = tmp_path_factory.getbasetemp()
    with shared_fork_server(
        (own.parent if hasattr(pytestconfig, "workerinput") else own) / "forks"
    ) as server:
        yield server


@pytest.fixture
def launcher(request: pytest.FixtureRequest, tmp_path: Path, fork_server: ForkServer) -> Iterator[Launcher]:
    """Starts processes of the product, and kills them at the end of the test, before its database is emptied."""
    if "database_url" in request.fixturenames:
        request.getfixturevalue("database_url")
    directory = tmp_path / "processes"
    directory.mkdir()
    with launching(directory, fork_server) as opened:
        yield opened


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """A server that speaks the protocol of S3."""
    from moto.server import ThreadedMotoServer  # few tests need it, and it takes 0.4 s

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an empty bucket `complaints`, with the usual environment of boto3."""
    import boto3

    for name, value in (
        ("AWS_ENDPOINT_URL", s3_url), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"),
        ("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_EC2_METADATA_DISABLED", "true"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="complaints")
    yield client
    for one in client.list_objects_v2(Bucket="complaints").get("Contents", ()):
        client.delete_object(Bucket="complaints", Key=one["Key"])
    for one in client.list_multipart_uploads(Bucket="complaints").get("Uploads", ()):
        client.abort_multipart_upload(Bucket="complaints", Key=one["Key"], UploadId=one["UploadId"])


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    """An HTTP server that keeps what it is sent."""
    with http_receiver() as opened:
        yield opened
