"""A call centre and a CRM, both real programs, and their server are killed again and again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import ScenarioReport, Size, opened
from tests.journeys.crm_scene import crm_scene
from tests.support import check_all


@pytest.mark.parametrize("database_kind", ["postgresql", "sqlite"])
def test_killed_integrations(
    database_kind: str,
    request: pytest.FixtureRequest,
    start_fleet: Callable[[str], Any],
    tmp_path: Path,
    size: Size,
    report: ScenarioReport,
) -> None:
    report.fault = f"Server, call centre and CRM killed in turn while all of them work ({database_kind})"
    url = request.getfixturevalue("postgres_url" if database_kind == "postgresql" else "sqlite_url")
    rounds = size.pick(1, 30)
    with opened(url) as service, start_fleet(url) as fleet:
        server = fleet.add_api(scheduler=1)
        fleet.await_ready()
        with crm_scene(service, tmp_path, server.url, lambda: fleet.kill(server), seed=rounds) as scene:
            scene.start()
            for done in range(rounds):
                scene.kill_all_in_turn()
                report.progress(done, of=rounds)
            scene.settle()
            breaches = scene.breaches() + fleet.failures(allowed=["Unavailable"])
        report.count(**scene.counts)
        assert breaches == []
        assert list(check_all(service)) == []
