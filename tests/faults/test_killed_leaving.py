"""A user leaves with many open complaints, and the server is killed half-way again and again: none is left behind."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from complaints.domain.vocabulary import AccessRole
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.usage import count_owned
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.commands.configuration import CreateUser
from complaints.use_cases.complaints import intake
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.complaints.leaving import BATCH, load_leaving
from complaints.use_cases.configuration.staff import USERS
from complaints.use_cases.service import Service
from tests.faults.conftest import ScenarioReport, Size, opened
from tests.support import check_all

LEAVER, SUCCESSOR = "li.wei", "zhao.min"


@pytest.mark.parametrize("database_kind", ["postgresql", "sqlite"])
def test_a_killed_leaving(
    database_kind: str,
    request: pytest.FixtureRequest,
    start_fleet: Callable[[str], Any],
    size: Size,
    report: ScenarioReport,
) -> None:
    report.fault = f"A server killed while a user leaves ({database_kind})"
    url = request.getfixturevalue("postgres_url" if database_kind == "postgresql" else "sqlite_url")
    batches, kills, half_way = size.pick(4, 40), size.pick(2, 20), 0
    with opened(url) as service:
        _give_work(service, batches * BATCH)
        with start_fleet(url) as fleet, ThreadPoolExecutor(1) as pool:
            server = fleet.add_api(scheduler=1)
            fleet.await_ready()
            with fleet.client(server) as http:
                asked = pool.submit(_let_leave, http)
                left = batches * BATCH
                while left and fleet.kills < kills:
                    left = _await_fewer(service, left)
                    half_way += 0 < left < batches * BATCH
                    fleet.kill(server)
                    assert list(check_all(service)) == []
                    _await(lambda: server.process is not None)
                _await(lambda: service.read(_is_finished))
                asked.result()
            report.count(kills=fleet.kills, kills_half_way=half_way, complaints=batches * BATCH)
            assert half_way
            assert service.read(lambda tx: (count_owned(tx, LEAVER), count_owned(tx, SUCCESSOR))) == (
                0,
                batches * BATCH,
            )
            assert list(check_all(service)) == []


def _give_work(service: Service, count: int) -> None:
    for login in (LEAVER, SUCCESSOR):
        command = CreateUser.model_validate({"login": login, "name": login, "roles": [AccessRole.AGENT]})
        service.configure(lambda tx, new=command: USERS.create(service, tx, SYSTEM, new))  # type: ignore[misc]
    posts = [
        IntakeRequest(
            SYSTEM,
            CreateComplaint.model_validate({"channel": "web", "subject": "Slow", "first_owner": LEAVER}),
        )
        for _ in range(BATCH)
    ]
    for _ in range(count // BATCH):
        service.write(lambda tx: intake.register(service, tx, posts))


def _let_leave(http: httpx2.Client) -> None:
    """The call breaks when its server dies. The next server goes on without it."""
    try:
        http.patch(f"/v1/users/{LEAVER}", json={"active": False, "successor": SUCCESSOR})
    except httpx2.TransportError:
        return


def _await_fewer(service: Service, left: int) -> int:
    """Wait for the end of a batch. Returns how many complaints are left."""
    _await(lambda: service.read(lambda tx: count_owned(tx, LEAVER)) < left)
    return service.read(lambda tx: count_owned(tx, LEAVER))


def _is_finished(tx: Transaction) -> bool:
    return load_leaving(tx, LEAVER).finished_at is not None


def _await(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "the leaving does not go on"
        time.sleep(0.005)
