"""API processes and workers are killed at any moment, while complaints come in and a storm of steps falls due."""

import random
import time
from collections.abc import Callable
from typing import Any

from tests.faults.conftest import ScenarioReport, Size, opened
from tests.faults.intake import Clients
from tests.faults.journal import Journal
from tests.faults.watch import watching
from tests.journeys.storm import Storm


def test_killed_processes_of_a_cluster(
    postgres_url: str, start_fleet: Callable[[str], Any], journal: Journal, size: Size, report: ScenarioReport
) -> None:
    report.fault = "API processes and workers killed during intake and a storm (PostgreSQL)"
    kills, steps = size.pick(20, 1000), size.pick(120, 5000)
    dice = random.Random(1)
    with (
        opened(postgres_url) as service,
        start_fleet(postgres_url) as fleet,
        watching(postgres_url, fleet) as watch,
    ):
        for _ in range(3):
            fleet.add_api()
            fleet.add_worker()
        clients = Clients(fleet.apis, journal, pause_seconds=size.pick(0.03, 0.1))
        fleet.await_ready()
        storm = Storm(service)
        with clients.working(size.pick(4, 8)):
            storm.raise_wave(steps, seconds=size.pick(6, 600))
            while fleet.kills < kills:
                fleet.kill_one(dice)
                report.progress(fleet.kills, of=kills)
                time.sleep(dice.uniform(0.05, size.pick(0.5, 1.2)))
        storm.await_end(patience_seconds=size.pick(120, 900))

        breaches = clients.breaches(service) + storm.breaches() + watch.breaches
        breaches += fleet.failures(allowed=["Unavailable"])
        report.count(
            kills=fleet.kills,
            complaints_acknowledged=clients.count_acknowledged(),
            requests_broken=sum(entry.breaks for entry in journal.read()),
            deadlines_in_the_storm=steps,
            steps_taken=storm.count_taken(),
        )
        fleet.end()
        assert breaches + watch.leftovers() == []


def test_a_killed_server_on_the_embedded_database(
    sqlite_url: str, start_fleet: Callable[[str], Any], journal: Journal, size: Size, report: ScenarioReport
) -> None:
    report.fault = "The one process, serving and watching, killed during intake and a storm (SQLite)"
    kills, steps = size.pick(6, 100), size.pick(40, 500)
    dice = random.Random(2)
    with opened(sqlite_url) as service, start_fleet(sqlite_url) as fleet:
        storm = Storm(service)
        storm.raise_wave(steps, seconds=size.pick(6, 100))
        fleet.add_api(scheduler=1)
        clients = Clients(fleet.apis, journal, pause_seconds=size.pick(0.03, 0.05))
        fleet.await_ready()
        with clients.working(4):
            while fleet.kills < kills:
                time.sleep(dice.uniform(0.1, 1.5))
                fleet.kill_one(dice)
                report.progress(fleet.kills, of=kills)
        storm.await_end(patience_seconds=size.pick(120, 300))

        breaches = clients.breaches(service) + storm.breaches()
        breaches += fleet.failures(allowed=["Unavailable"])
        report.count(
            kills=fleet.kills,
            complaints_acknowledged=clients.count_acknowledged(),
            requests_broken=sum(entry.breaks for entry in journal.read()),
            deadlines_in_the_storm=steps,
            steps_taken=storm.count_taken(),
        )
        assert breaches == []
