"""PostgreSQL's first process is killed again and again: what was acknowledged stays, and everything goes on."""

import random
import time
from collections.abc import Callable
from typing import Any

from tests.faults.conftest import ScenarioReport, Size, opened
from tests.faults.intake import Clients
from tests.faults.journal import Journal
from tests.faults.watch import watching
from tests.journeys.storm import Storm
from tests.postgres_server import FallibleServer


def test_a_killed_postmaster(
    postgres: FallibleServer,
    postgres_url: str,
    start_fleet: Callable[[str], Any],
    journal: Journal,
    size: Size,
    report: ScenarioReport,
) -> None:
    report.fault = "PostgreSQL's postmaster killed during intake and a storm, and started again"
    kills, steps = size.pick(3, 100), size.pick(60, 2000)
    dice = random.Random(3)
    with (
        opened(postgres_url) as service,
        start_fleet(postgres_url) as fleet,
        watching(postgres_url, fleet) as watch,
    ):
        storm = Storm(service)
        storm.raise_wave(steps, seconds=size.pick(6, 240))
        for _ in range(2):
            fleet.add_api()
            fleet.add_worker()
        clients = Clients(fleet.apis, journal, pause_seconds=size.pick(0.03, 0.05))
        fleet.await_ready()
        with clients.working(4):
            for n in range(kills):
                report.progress(n, of=kills)
                time.sleep(dice.uniform(0.5, 2))
                postgres.kill()
                time.sleep(dice.uniform(0, 1))
                postgres.start()
            time.sleep(1)
        storm.await_end(patience_seconds=size.pick(120, 300))

        breaches = clients.breaches(service) + storm.breaches() + watch.breaches
        breaches += fleet.failures(allowed=["Unavailable"])
        report.count(
            kills=kills,
            complaints_acknowledged=clients.count_acknowledged(),
            answers_503=clients.statuses[503],
            deadlines_in_the_storm=steps,
            steps_taken=storm.count_taken(),
        )
        assert fleet.ended == []  # the product's own processes outlive it
        fleet.end()
        assert breaches + watch.leftovers() == []
