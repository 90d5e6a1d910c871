"""Up to 1,000 listeners of the feed on real sockets: one reader serves them, and a restart costs no event."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from complaints.storage.rows import event
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.complaints import intake
from complaints.use_cases.service import Service
from tests.faults.conftest import ScenarioReport, Size, opened
from tests.faults.fleet import Member
from tests.faults.listeners import FeedClient, ask_without_reading

WAIT_SECONDS = 60.0
WINDOW_SECONDS = 8.0
DRAINED_SECONDS = 5.0


@asynccontextmanager
async def listening(clients: Sequence[FeedClient]) -> AsyncIterator[None]:
    """The clients listen, a hundred more at a time, until the end of the block."""
    tasks = []
    for number, client in enumerate(clients):
        tasks.append(asyncio.create_task(client.listen()))
        if number % 100 == 99:
            await until(lambda: all(one.streams for one in clients[: len(tasks)]))
    try:
        await until(lambda: all(one.streams for one in clients))
        yield
    finally:
        failures = [task.exception() for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert failures == []


async def until(happened: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Wait until `happened`; raise TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not happened():
            await asyncio.sleep(0.02)


def post(service: Service, count: int, *, at_once: int = 1) -> None:
    """Register complaints, one event each, so many in a transaction."""
    command = CreateComplaint.model_validate({"channel": "phone", "subject": "No signal"})
    for _ in range(0, count, at_once):
        service.write(lambda tx: [intake.register_one(service, tx, SYSTEM, command) for _ in range(at_once)])


def numbers(service: Service) -> list[int]:
    """The numbers of all events."""
    return [row["sequence"] for row in service.read(lambda tx: event.list_changes(tx, after=0, limit=10**6))]


@pytest.mark.parametrize("database_kind", ["postgresql", "sqlite"])
def test_listeners_come_back_without_loss_or_repetition(
    database_kind: str,
    request: pytest.FixtureRequest,
    start_fleet: Callable[[str], Any],
    size: Size,
    report: ScenarioReport,
) -> None:
    report.fault = f"A server with many listeners killed and restarted ({database_kind})"
    url = request.getfixturevalue("postgres_url" if database_kind == "postgresql" else "sqlite_url")
    kills, drained = size.pick(3, 30), []

    async def scenario(service: Service, server: Member, fleet: Any) -> list[FeedClient]:
        clients = [FeedClient(server.settings["port"]) for _ in range(size.pick(200, 1_000))]
        async with listening(clients):
            for number in range(kills):
                await asyncio.to_thread(post, service, 10)
                before = {one: one.streams for one in clients}
                if number % 3 == 2:
                    drained.append(await _drain(fleet, server))
                else:
                    await asyncio.to_thread(fleet.kill, server)
                await asyncio.to_thread(post, service, 10)
                await until(lambda before=before: all(one.streams > before[one] for one in clients))  # type: ignore[misc]
            await asyncio.to_thread(post, service, 1)
            last = numbers(service)[-1]
            await until(lambda: all(one.seen and one.seen[-1] == last for one in clients))
        return clients

    with opened(url) as service, start_fleet(url) as fleet:
        server = fleet.add_api()
        fleet.await_ready()
        clients = asyncio.run(scenario(service, server, fleet))
        expected = numbers(service)
        assert [one.seen for one in clients if one.seen != expected] == []
        assert {reason for one in clients for reason in one.ends} == {"draining"}
        report.count(kills=fleet.kills, listeners=len(clients), events=len(expected))
        report.count(seconds_to_drain=round(max(drained), 1))
        assert max(drained) < DRAINED_SECONDS
        assert fleet.failures() == []


async def _drain(fleet: Any, server: Member) -> float:
    """Let the server end as a service manager does. Returns the seconds until it has ended."""
    process, began = server.process, time.monotonic()
    assert process is not None
    process.send_signal(signal.SIGTERM)
    await until(lambda: process.returncode is not None)
    assert process.returncode == 0
    return time.monotonic() - began


def test_a_thousand_listeners_cost_one_reader(
    postgres_url: str, start_fleet: Callable[[str], Any], report: ScenarioReport
) -> None:
    """The transactions of a window with 20 events are those of one listener."""
    report.fault = "1,000 listeners at one server: the transactions that they cost"
    began = time.monotonic()

    def transactions() -> int:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            row = connection.execute(
                "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
            ).fetchone()
            assert row is not None
            return int(row[0])

    async def cost(service: Service, server: Member, listeners: int) -> tuple[int, float]:
        clients = [FeedClient(server.settings["port"], "/v1/changes?after=now") for _ in range(listeners)]
        async with listening(clients):
            await asyncio.sleep(12)  # an idle connection reports what it did before within 10 s
            before, worked = transactions(), _processor_seconds(server)
            for _ in range(20):
                await asyncio.to_thread(post, service, 1)
                await asyncio.sleep(0.3)
            await until(lambda: all(len(one.seen) == 20 for one in clients))
            await asyncio.sleep(WINDOW_SECONDS - 6)
            return transactions() - before, _processor_seconds(server) - worked

    with opened(postgres_url) as service, start_fleet(postgres_url) as fleet:
        server = fleet.add_api()
        fleet.await_ready()
        one, alone = asyncio.run(cost(service, server, 1))
        many, together = asyncio.run(cost(service, server, 1_000))
        report.count(transactions_with_1=one, transactions_with_1000=many)
        report.count(processor_seconds_with_1=round(alone, 2), processor_seconds_with_1000=round(together, 2))
        report.count(megabytes=_megabytes(server), seconds=round(time.monotonic() - began))
        assert many < one * 1.3 + 10
        assert fleet.failures() == []


def test_clients_that_do_not_read_cost_little_and_are_cut_off(
    postgres_url: str, start_fleet: Callable[[str], Any], size: Size, report: ScenarioReport
) -> None:
    """Another client gets every event meanwhile."""
    report.fault = "Listeners that do not read"
    idle = size.pick(40, 400)

    def cut_off(server: Member) -> int:
        return int(fleet.log(server).count("an answer was not read"))

    async def scenario(service: Service, server: Member) -> int:
        client = FeedClient(server.settings["port"])
        async with listening([client]):
            last = numbers(service)[-1]
            await until(lambda: client.seen[-1:] == [last])
            before = _megabytes(server)
            sizes: list[int] = []
            with ExitStack() as deaf:
                for _ in range(idle):
                    deaf.enter_context(ask_without_reading(server.settings["port"]))
                # Each first takes as much of the feed as the buffers of the system hold.
                filling = idle * 0.25
                await until(
                    lambda: sizes.append(_megabytes(server)) or cut_off(server) > idle / 2,
                    WAIT_SECONDS + filling,
                )
                await asyncio.to_thread(post, service, 10)
                last = numbers(service)[-1]
                await until(lambda: client.seen[-1:] == [last])
        assert client.streams == 1
        return max(sizes) - before

    with opened(postgres_url) as service, start_fleet(postgres_url) as fleet:
        post(service, 8_000, at_once=200)  # more than the buffers of the system take
        server = fleet.add_api()
        fleet.await_ready()
        grown = asyncio.run(scenario(service, server))
        report.count(listeners=idle, megabytes=grown, cut_off=cut_off(server))
        assert grown < 30 + idle * 0.25
        assert fleet.failures() == []


def _processor_seconds(server: Member) -> float:
    assert server.process is not None
    stat = Path(f"/proc/{server.process.pid}/stat").read_text(encoding="ascii")
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _megabytes(server: Member) -> int:
    assert server.process is not None
    statm = Path(f"/proc/{server.process.pid}/statm").read_text(encoding="ascii")
    return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20
