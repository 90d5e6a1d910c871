"""Processes are killed while they take attachments: what was acknowledged is there, and what was not is swept."""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from complaints.storage.blobs.directory import BlobDirectory
from complaints.use_cases.attachments.sweeping import GRACE, sweep_orphans
from complaints.use_cases.service import AttachmentStore
from complaints.use_cases.upkeep.attachment_checks import check_attachments
from complaints.wiring import wall_now
from tests.faults.conftest import ScenarioReport, Size, opened
from tests.faults.uploads import Uploaders
from tests.support import check_all

LIMITS = {"attachments_of_complaint": 1_000_000, "attachment_bytes_of_complaint": 10**15}


@pytest.mark.parametrize("database_kind", ["postgresql", "sqlite"])
def test_killed_uploads(
    database_kind: str,
    request: pytest.FixtureRequest,
    start_fleet: Callable[[str], Any],
    tmp_path: Path,
    size: Size,
    report: ScenarioReport,
) -> None:
    report.fault = f"Servers killed while they take attachments ({database_kind})"
    url = request.getfixturevalue("postgres_url" if database_kind == "postgresql" else "sqlite_url")
    (root := tmp_path / "attachments").mkdir()
    dice, kills = random.Random(7), size.pick(8, 200)
    with opened(url) as found, start_fleet(url) as fleet:
        service = replace(found, attachment_store=AttachmentStore(BlobDirectory(root)), wall=wall_now)
        apis = [fleet.add_api(attachments_dir=root, **LIMITS) for _ in range(2)]
        fleet.await_ready()
        with fleet.client(apis[0]) as http:
            made = http.post("/v1/complaints", json={"channel": "web", "subject": "Photos"}).json()
        uploads = Uploaders(fleet, apis, f"/v1/complaints/{made['id']}/attachments", largest=16_000_000)
        with uploads.working(4):
            while fleet.kills < kills:
                _await_new(root / "incoming")
                time.sleep(dice.uniform(0, 0.02))
                fleet.kill_one(dice, apis)
        fleet.await_ready()  # the last kill may have been that of the server that is asked now
        with fleet.client(apis[0]) as http:
            items, cursor = [], None
            while cursor or not items:
                asked = {"limit": 200} | ({"cursor": cursor} if cursor else {})
                page = http.get(uploads.address, params=asked).json()
                items, cursor = [*items, *page["items"]], page["next_cursor"]
        assert {one["id"]: one["sha256"] for one in items} == uploads.acknowledged
        files = sum(1 for one in root.rglob("*") if one.is_file())
        swept = sweep_orphans(replace(service, wall=lambda: wall_now() + 2 * GRACE))
        assert {one.name for one in root.rglob("*") if one.is_file()} == uploads.acknowledged.keys()
        report.count(
            kills=fleet.kills, attachments=len(items), broken_requests=uploads.breaks,
            unfinished=files - swept - len(items), orphans=swept,
        )  # fmt: skip
        assert [*check_attachments(service, reads_bytes=True), *check_all(service)] == []
        assert fleet.failures() == []


def _await_new(incoming: Path) -> None:
    """Wait until another upload has begun."""
    before = set(incoming.iterdir()) if incoming.exists() else set()
    deadline = time.monotonic() + 60
    while not (incoming.exists() and set(incoming.iterdir()) - before):
        assert time.monotonic() < deadline, "no upload begins"
        time.sleep(0.001)
