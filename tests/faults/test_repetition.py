"""The same request a hundred times at once, to several processes: one complaint, one answer."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from sqlalchemy import func, select

from complaints.storage.rows.complaint import complaint
from complaints.use_cases.service import Service
from tests.faults.conftest import ScenarioReport, Size, opened
from tests.faults.repetition import FOLD, same_external_id, same_key


def test_a_hundredfold_repetition(
    postgres_url: str, start_fleet: Callable[[str], Any], size: Size, report: ScenarioReport
) -> None:
    report.fault = "The same request a hundred times at once, to three API processes"
    rounds = size.pick(1, 40)
    breaches: list[str] = []
    with opened(postgres_url) as service, start_fleet(postgres_url) as fleet, ExitStack() as stack:
        for _ in range(3):
            fleet.add_api()
        fleet.await_ready()
        clients = [stack.enter_context(fleet.client(api)) for api in fleet.apis]
        for n in range(rounds):
            breaches += same_key(clients, n)
            breaches += same_external_id(clients, n)
        breaches += fleet.failures()
        complaints = _count(service)
        report.count(requests=rounds * FOLD * 2, complaints=complaints)
    if complaints != rounds * 2:
        breaches.append(f"{rounds * 2} different requests made {complaints} complaints")
    assert breaches == []


def _count(service: Service) -> int:
    with service.database.read() as tx:
        return tx.connection.execute(select(func.count()).select_from(complaint)).scalar_one()
