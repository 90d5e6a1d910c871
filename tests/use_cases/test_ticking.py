"""The sweeper takes fewer complaints at once where many were too much."""

import pytest

from complaints.domain.errors import Unavailable
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep import loops
from complaints.use_cases.upkeep.loops import Sweeper
from complaints.use_cases.upkeep.sweep import BATCH, SweepResult, sweep_once
from complaints.wiring import wall_now
from tests.support import Scenario


def test_a_batch_that_is_too_much_is_tried_again_with_fewer(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database ends a transaction in which a busy process says nothing for 5 s."""
    tried: list[int] = []

    def overtaxed(service: Service, *, batch: int = BATCH) -> SweepResult:
        tried.append(batch)
        if batch > 10:
            raise Unavailable("The database ended it.")
        return sweep_once(service, batch=batch)

    monkeypatch.setattr(loops, "sweep_once", overtaxed)
    for _ in range(20):
        scenario.post()
    scenario.jump(hours=13)
    total: list[SweepResult] = []
    sweeper = Sweeper(scenario.service, "node", wall_now, total.append)

    for _ in range(12):
        try:
            sweeper.tick()
        except Unavailable:
            continue

    assert tried[:4] == [500, 125, 31, 7]
    assert sum(swept.complaints for swept in total) == 20
