"""A worker is stopped with complaints in hand, and goes on long after: the others did its work, it does nothing twice.

On PostgreSQL; a stopped writer of the embedded database stops the house until it goes on.
"""

import time
from collections.abc import Callable
from typing import Any

from tests.faults.conftest import ScenarioReport, Size, opened
from tests.faults.watch import watching
from tests.journeys.storm import Storm
from tests.support import is_any_due

TAKEN_OVER_SECONDS = 10.0


def test_a_stopped_worker(
    postgres_url: str, start_fleet: Callable[[str], Any], size: Size, report: ScenarioReport
) -> None:
    report.fault = "Workers stopped with complaints in hand, and continued"
    stopped_seconds = size.pick(8, 60)
    with (
        opened(postgres_url) as service,
        start_fleet(postgres_url) as fleet,
        watching(postgres_url, fleet) as watch,
    ):
        storm = Storm(service)
        storm.raise_wave(20)
        frozen = fleet.add_worker(arming=["written", "SIGSTOP"])
        while not frozen.stopped:
            time.sleep(0.01)
        began = time.monotonic()
        for _ in range(2):
            fleet.add_worker()
        while service.read(is_any_due):
            assert time.monotonic() - began < TAKEN_OVER_SECONDS * 3, "nobody takes over"
            time.sleep(0.05)
        taken_over_seconds = time.monotonic() - began
        time.sleep(max(0.0, stopped_seconds - taken_over_seconds))

        fleet.go_on(frozen)
        storm.raise_wave(8)
        storm.await_end()
        time.sleep(1)
        breaches = storm.breaches() + watch.breaches + fleet.failures(allowed=["Unavailable"])
        if taken_over_seconds > TAKEN_OVER_SECONDS:
            breaches.append(f"its complaints were taken over after {taken_over_seconds:.0f} s")
        report.count(
            seconds_stopped=round(time.monotonic() - began),
            seconds_until_taken_over=round(taken_over_seconds, 1),
            steps_taken=storm.count_taken(),
        )
        assert fleet.ended == []
        fleet.end()
        assert breaches + watch.leftovers() == []
