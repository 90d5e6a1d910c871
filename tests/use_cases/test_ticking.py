"""The sweeper takes fewer complaints at once where many were too much."""

import pytest

from complaints.domain.errors import Unavailable
from complaints.use_cases.service import Engine
from complaints.use_cases.upkeep import loops
from complaints.use_cases.upkeep.loops import Sweeper
from complaints.use_cases.upkeep.sweep import BATCH, Swept, sweep_once
from complaints.wiring import wall_now
from tests.support import House


def test_a_batch_that_is_too_much_is_tried_again_with_fewer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database ends a transaction in which a busy process says nothing for 5 s."""
    tried: list[int] = []

    def overtaxed(engine: Engine, *, batch: int = BATCH) -> Swept:
        tried.append(batch)
        if batch > 10:
            raise Unavailable("The database ended it.")
        return sweep_once(engine, batch=batch)

    monkeypatch.setattr(loops, "sweep_once", overtaxed)
    for _ in range(20):
        house.post()
    house.jump(hours=13)
    total: list[Swept] = []
    sweeper = Sweeper(house.engine, "node", wall_now, total.append)

    for _ in range(12):
        try:
            sweeper.tick()
        except Unavailable:
            continue

    assert tried[:4] == [500, 125, 31, 7]
    assert sum(swept.complaints for swept in total) == 20
