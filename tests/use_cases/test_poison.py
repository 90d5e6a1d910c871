"""One complaint whose stored data make no sense is parked with an alarm; the clocks of the others go on."""

import logging

import pytest
from sqlalchemy import select, text

from complaints.storage.rows.escalation import escalation
from complaints.use_cases.upkeep import health
from complaints.use_cases.upkeep.sweep import sweep_once
from complaints.wiring import wall_now
from tests.support import Scenario

# What spoils a complaint when it is read, and what when its plan is written.
POISONS = {
    "unreadable": "UPDATE deadline SET target = 'soon' WHERE complaint_id = :id",
    "taken before": "UPDATE deadline SET steps_taken = '[]' WHERE complaint_id = :id",
    "history short": "UPDATE complaint SET history_count = history_count - 1 WHERE id = :id",
}


@pytest.mark.parametrize("poison", POISONS)
def test_poison_is_parked_and_the_rest_goes_on(
    scenario: Scenario, poison: str, caplog: pytest.LogCaptureFixture
) -> None:
    complaints = [scenario.post() for _ in range(5)]
    scenario.advance(hours=13)
    spoilt = complaints[2]
    is_sqlite = scenario.service.database.engine.dialect.name == "sqlite"
    with scenario.service.database.begin() as tx:
        tx.connection.execute(text(POISONS[poison]), {"id": spoilt.id.hex if is_sqlite else spoilt.id})
    scenario.jump(hours=8)

    with caplog.at_level(logging.ERROR):
        swept = sweep_once(scenario.service)

    assert (swept.complaints, swept.parked) == (5, 1)
    assert [record.id for record in caplog.records if "parked" in record.message] == [str(spoilt.id)]  # type: ignore[attr-defined]
    with scenario.service.database.read() as tx:
        taken = tx.connection.execute(
            select(escalation.c.complaint_id).where(escalation.c.step == "80%")
        ).all()
    assert {row.complaint_id for row in taken} == {c.id for c in complaints} - {spoilt.id}
    assert health.examine(scenario.service, wall_now).parked == 1
    assert sweep_once(scenario.service).complaints == 0
