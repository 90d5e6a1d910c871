"""Workers die at any moment: still each step is taken exactly once and none before its time (domain §3)."""

import random
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.examples import examples
from tests.fork_client import ForkedProcess
from tests.journeys.running_server import Launcher, Running
from tests.journeys.storm import Storm, house_in_operation

PATIENCE_SECONDS = 30.0


@pytest.fixture
def storm(database_url: str) -> Iterator[Storm]:
    """An empty house in operation, on each engine, before the storm."""
    service = house_in_operation(database_url)
    yield Storm(service)
    service.database.engine.dispose()


@pytest.fixture
def start_worker(storm: Storm, database_url: str, launcher: Launcher) -> Callable[..., Running]:
    """Starts a worker on the storm's database. It may be armed with a point and a signal."""
    return lambda *arming: launcher.run("worker", url=database_url, arming=arming)


def kill(worker: Running) -> None:
    """Kill a worker, as a power cut does. Fails if it has ended before."""
    worker.kill()
    assert worker.wait() == -signal.SIGKILL, worker.output


@pytest.mark.parametrize("point", ["claimed", "half-written", "written", "committed"])
def test_a_worker_killed_at_the_worst_moment(
    storm: Storm, start_worker: Callable[..., Running], point: str
) -> None:
    for _ in range(2):
        storm.raise_wave(8)
        assert start_worker(point, "SIGKILL").wait(PATIENCE_SECONDS) == -signal.SIGKILL
    storm.raise_wave(8)
    start_worker()

    storm.await_end()
    storm.check()


def test_workers_killed_at_random(storm: Storm, start_worker: Callable[..., Running]) -> None:
    dice = random.Random(20)
    storm.raise_wave(60, seconds=examples(4))
    alive = [start_worker() for _ in range(3)]

    for _ in range(examples(10)):
        time.sleep(dice.uniform(0.05, 0.5))
        kill(alive.pop(dice.randrange(3)))
        alive.append(start_worker())

    storm.await_end()
    storm.check()


def await_stopped(worker: Running) -> ForkedProcess:
    """Wait until the worker has stopped itself; its process."""
    process, deadline = worker.process, time.monotonic() + PATIENCE_SECONDS
    assert isinstance(process, ForkedProcess)
    while not process.is_stopped:
        assert process.poll() is None, worker.output
        assert time.monotonic() < deadline, worker.output
        time.sleep(0.01)
    return process


def test_a_worker_frozen_with_complaints_in_hand_does_nothing_twice(
    migrated_database_url: Callable[[str], str], launcher: Launcher
) -> None:
    """On PostgreSQL; a frozen writer of the embedded database stops the house until it is continued."""
    url = migrated_database_url("postgresql")
    storm = Storm(house_in_operation(url))
    storm.raise_wave(8)
    frozen = launcher.run("worker", url=url, arming=["written", "SIGSTOP"])
    process = await_stopped(frozen)

    storm.raise_wave(8)
    other = launcher.run("worker", url=url)
    storm.await_end()  # the server ends a transaction that stands idle for 5 s
    process.send_signal(signal.SIGCONT)
    time.sleep(1)

    kill(frozen)
    kill(other)
    storm.check()
    storm.service.database.engine.dispose()
