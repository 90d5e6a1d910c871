"""Who watches the deadlines is told by ticks near the present, also after clocks were set right."""

from datetime import timedelta

import pytest

from complaints.storage.rows import heartbeat
from complaints.use_cases.upkeep import health
from complaints.wiring import wall_now
from tests.support import House


@pytest.mark.parametrize(
    ("ago", "is_alive"),
    [(timedelta(seconds=1), True), (timedelta(minutes=1), False), (timedelta(days=-1), False)],
    ids=["just now", "a minute ago", "a day ahead"],
)
def test_a_process_is_alive_by_its_last_tick(house: House, ago: timedelta, is_alive: bool) -> None:
    house.engine.write(lambda tx: heartbeat.beat(tx, "node", at=wall_now() - ago, lag_seconds=0))
    assert health.examine(house.engine, wall_now).sweeping is is_alive
