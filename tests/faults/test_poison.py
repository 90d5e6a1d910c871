"""Complaints whose stored data were spoilt are parked with an alarm, while workers do the rest."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select, text

from complaints.domain.complaint.numbers import number_of
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.escalation import escalation
from tests.faults.conftest import ScenarioReport, Size, opened
from tests.faults.fleet import Fleet
from tests.journeys.storm import Storm

POISONS = (
    "UPDATE deadline SET target = 'soon' WHERE complaint_id = :id",
    "UPDATE complaint SET history_count = history_count - 1 WHERE id = :id",
    "UPDATE complaint SET tags = '7' WHERE id = :id",
)


def test_poison(
    postgres_url: str, start_fleet: Callable[[str], Any], size: Size, report: ScenarioReport
) -> None:
    report.fault = "Complaints whose stored data were spoilt, in a storm"
    steps = size.pick(30, 2000)
    with opened(postgres_url) as service, start_fleet(postgres_url) as fleet:
        storm = Storm(service)
        storm.raise_wave(steps, steps_at=[48], with_reviews=False)
        c = complaint.c
        with service.database.begin() as tx:
            ids = list(tx.connection.execute(select(c.id).order_by(c.wake_at).limit(len(POISONS))).scalars())
            for spoilt, poison in zip(ids, POISONS, strict=True):
                tx.connection.execute(text(poison), {"id": spoilt})
        api = fleet.add_api()
        for _ in range(2):
            fleet.add_worker()
        fleet.await_ready()
        storm.await_end()

        with service.database.read() as tx:
            parked = set(tx.connection.execute(select(c.id).where(c.parked_at.is_not(None))).scalars())
            numbers = [
                number_of(n) for n in tx.connection.execute(select(c.sequence).where(c.id.in_(ids))).scalars()
            ]
            taken = tx.connection.execute(select(escalation.c.complaint_id)).scalars().all()
        report.count(complaints=steps, spoilt=len(POISONS), parked=len(parked), steps_taken=len(taken))
        assert parked == set(ids)
        assert len(set(taken) - set(ids)) == steps - len(POISONS)
        _alarms_sound(fleet, parked=len(parked))
        with fleet.client(api) as http:
            assert http.get("/readyz").json()["parked"] == len(parked)
            families = text_string_to_metric_families(http.get("/metrics").text)
            [gauge] = [family for family in families if family.name == "complaints_parked"]
            assert gauge.samples[0].value == len(parked)
    listed = _check(postgres_url)
    for spoilt in numbers:
        assert spoilt in listed


def _alarms_sound(fleet: Fleet, *, parked: int) -> None:
    time.sleep(0.1)
    logs = "".join(fleet.log(worker) for worker in fleet.workers)
    assert logs.count("complaint parked") == parked


def _check(url: str) -> str:
    """What `complaints check` prints."""
    environment = os.environ | {"COMPLAINTS_DATABASE_URL": url, "COLUMNS": "300"}
    done = subprocess.run(
        [sys.executable, "-m", "complaints", "check"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return done.stdout
