"""The disk is full: nothing is acknowledged, nothing acknowledged is lost, and with room again everything goes on."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import httpx2
import psycopg
import pytest

from complaints.storage.blobs.directory import BlobDirectory
from complaints.use_cases.service import AttachmentStore
from complaints.use_cases.upkeep.attachment_checks import check_attachments
from tests.faults.conftest import ScenarioReport, Size, database_of, migrated, opened
from tests.faults.fleet import Fleet
from tests.faults.intake import Clients
from tests.faults.journal import Journal
from tests.faults.uploads import Uploaders
from tests.journeys.storm import Storm
from tests.postgres_server import FallibleServer, PostgresUnavailable, fallible
from tests.support import check_all


@dataclass(frozen=True)
class Disk:
    """A small file system in memory."""

    path: Path

    def fill(self) -> None:
        """Leave no room at all."""
        with (self.path / "ballast").open("ab", buffering=0) as ballast:
            for size in (1 << 20, 4096, 1):
                try:
                    while ballast.write(b"\0" * size) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        """Make room again."""
        (self.path / "ballast").unlink()


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[Disk]:
    """A disk of so many megabytes at `path`; skips where none can be mounted."""
    path.mkdir(mode=0o755)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        path.rmdir()
        pytest.skip("a small disk cannot be mounted here: that takes root, and the right to mount")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
        path.rmdir()


def test_a_full_disk_under_the_embedded_database(
    start_fleet: Callable[[str], Any], journal: Journal, tmp_path: Path, size: Size, report: ScenarioReport
) -> None:
    report.fault = "Disk full under the embedded database"
    with small_disk(tmp_path / "disk", 32) as disk:
        url = migrated(f"sqlite:///{disk.path / 'complaints.db'}")
        with opened(url) as service, start_fleet(url) as fleet:
            storm = Storm(service)
            storm.raise_wave(30, seconds=size.pick(4, 30))
            fleet.add_api(scheduler=1)
            clients = _fill_and_free(fleet, disk, journal, rounds=size.pick(2, 10))
            storm.await_end()
            _fill_report(report, clients)
            assert clients.breaches(service) + storm.breaches() == []
            assert fleet.failures(allowed=["Unavailable"]) == []
            assert fleet.ended == []


def test_a_full_disk_under_postgresql(
    start_fleet: Callable[[str], Any], journal: Journal, size: Size, report: ScenarioReport
) -> None:
    """Where its log cannot be written PostgreSQL panics, and may end for good: then it is started again."""
    report.fault = "Disk full under PostgreSQL"
    reachable = Path(
        gettempdir(), f"complaints-disk-{os.getpid()}"
    )  # by a user without rights, unlike tmp_path
    with small_disk(reachable, 160) as disk, fallible(disk.path / "data") as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE full_disk TEMPLATE template0")
        url = migrated(database_of(server.url, "full_disk"))
        with opened(url) as service, start_fleet(url) as fleet:
            storm = Storm(service)
            storm.raise_wave(30, seconds=size.pick(4, 30))
            fleet.add_api()
            fleet.add_worker()
            clients = _fill_and_free(fleet, disk, journal, rounds=size.pick(2, 10), server=server)
            storm.await_end()
            _fill_report(report, clients)
            assert clients.breaches(service) + storm.breaches() == []
            assert fleet.failures(allowed=["Unavailable"]) == []
            assert fleet.ended == []


def test_a_full_disk_under_attachments(
    start_fleet: Callable[[str], Any], postgres_url: str, tmp_path: Path, size: Size, report: ScenarioReport
) -> None:
    """Attachments are refused, complaints go on, and nothing of a refused attachment is left."""
    report.fault = "Disk full under attachments"
    limits = {"attachments_of_complaint": 100_000, "attachment_bytes_of_complaint": 10**12}
    with (
        small_disk(tmp_path / "disk", size.pick(200, 2000)) as disk,
        opened(postgres_url) as service,
        start_fleet(postgres_url) as fleet,
    ):
        (root := disk.path / "attachments").mkdir()
        api = fleet.add_api(attachments_dir=root, **limits)
        fleet.await_ready()
        with fleet.client(api) as http:
            made = http.post("/v1/complaints", json={"channel": "web", "subject": "Photos"}).json()
            uploads = Uploaders(fleet, [api], f"/v1/complaints/{made['id']}/attachments")
            with uploads.working(4):
                for _ in range(size.pick(2, 10)):
                    _await_more(uploads, 201)
                    disk.fill()
                    _await_more(uploads, 503)
                    assert (
                        http.post("/v1/complaints", json={"channel": "web", "subject": "Now"}).status_code
                        == 201
                    )
                    disk.free()
                _await_more(uploads, 201)
        report.count(attachments_acknowledged=len(uploads.acknowledged), answers_503=uploads.statuses[503])
        stored = replace(service, attachment_store=AttachmentStore(BlobDirectory(root)))
        assert {one.name for one in root.rglob("*") if one.is_file()} == uploads.acknowledged.keys()
        assert [*check_attachments(stored, reads_bytes=True), *check_all(service)] == []
        assert uploads.breaks == 0
        assert fleet.failures() == []
        assert fleet.ended == []


def _fill_and_free(
    fleet: Fleet, disk: Disk, journal: Journal, *, rounds: int, server: FallibleServer | None = None
) -> Clients:
    fleet.await_ready()
    clients = Clients(fleet.apis, journal, pause_seconds=0.01)
    with clients.working(4):
        for _ in range(rounds):
            _await_more(clients, 201)
            disk.fill()
            _await_more(clients, 503)
            time.sleep(0.5)
            disk.free()
            if server is not None:
                _start_if_gone(server)
    _await_answer(fleet)
    return clients


def _await_more(clients: Clients | Uploaders, status: int) -> None:
    """Wait until five more requests have been answered with `status`."""
    wanted, deadline = clients.statuses[status] + 5, time.monotonic() + 60
    while clients.statuses[status] < wanted:
        assert time.monotonic() < deadline, f"no request is answered {status}: {dict(clients.statuses)}"
        time.sleep(0.02)


def _start_if_gone(server: FallibleServer) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            psycopg.connect(server.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.2)
        else:
            return
    try:
        server.start()
    except PostgresUnavailable as failure:
        pytest.fail(f"PostgreSQL does not start on a disk with room: {failure}")


def _await_answer(fleet: Fleet) -> None:
    """Until it takes complaints again, by the same process."""
    body, deadline = {"channel": "phone", "subject": "After all"}, time.monotonic() + 30
    with fleet.client(fleet.apis[0]) as http:
        while (answer := http.post("/v1/complaints", json=body)).status_code != 201:
            assert answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE, answer.text
            assert time.monotonic() < deadline, "it does not take complaints again"
            time.sleep(0.1)


def _fill_report(report: ScenarioReport, clients: Clients) -> None:
    report.count(
        complaints_acknowledged=clients.count_acknowledged(),
        answers_503=clients.statuses[503],
    )
