"""A process counts as alive if its last tick is near the present, also after a clock was corrected."""

from datetime import timedelta

import pytest

from complaints.storage.rows import heartbeat
from complaints.use_cases.upkeep import health
from complaints.wiring import wall_now
from tests.support import Scenario


@pytest.mark.parametrize(
    ("ago", "is_alive"),
    [(timedelta(seconds=1), True), (timedelta(minutes=1), False), (timedelta(days=-1), False)],
    ids=["just now", "a minute ago", "a day ahead"],
)
def test_a_process_is_alive_by_its_last_tick(scenario: Scenario, ago: timedelta, is_alive: bool) -> None:
    scenario.service.write(lambda tx: heartbeat.beat(tx, "node", at=wall_now() - ago, lag_seconds=0))
    assert health.examine(scenario.service, wall_now).sweeping is is_alive
