"""Workers die at any moment: still each step is taken exactly once and none before its time (domain §3)."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.examples import examples
from tests.journeys.running_server import launching
from tests.journeys.storm import Storm, house_in_operation

NURSERY = Path(__file__).with_name("worker_nursery.py")
Nursery = subprocess.Popen[str]


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Makes workers (see `worker_nursery`); tells what they printed."""
    log = tmp_path_factory.mktemp("nursery") / "workers.log"
    with launching(log.parent) as launcher:
        environment = launcher.environment(None)
    with subprocess.Popen(
        [sys.executable, str(NURSERY), str(log)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=log.parent,
        env=environment,
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
    sys.stdout.write(log.read_text())


class Workers:
    """Starts workers on one database and hears how they end."""

    def __init__(self, nursery: Nursery, url: str) -> None:
        self._nursery = nursery
        self._url = url
        self._alive: list[int] = []

    def start(self, *arming: str) -> int:
        """The process id of a new worker; `arming` is a point and the signal it sends itself there."""
        self._alive.append(int(self._ask("start", self._url, *arming)))
        return self._alive[-1]

    def reap(self, pid: int) -> str:
        """By which signal a worker ended or stopped, once it has."""
        ended = self._ask("reap", str(pid))
        if ended not in ("alive", "SIGSTOP"):
            self._alive.remove(pid)
        return ended

    def kill(self, pid: int) -> None:
        """End a worker as a power cut does."""
        os.kill(pid, signal.SIGKILL)
        assert self.reap(pid) == "SIGKILL"

    def kill_all(self) -> None:
        """End those that are left."""
        for pid in list(self._alive):
            self.kill(pid)

    def _ask(self, *words: str) -> str:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(" ".join(words) + "\n")
        self._nursery.stdin.flush()
        return self._nursery.stdout.readline().strip()


@pytest.fixture
def storm(database_url: str) -> Iterator[Storm]:
    """An empty house in operation, on each engine, before the storm."""
    service = house_in_operation(database_url)
    yield Storm(service)
    service.database.engine.dispose()


@pytest.fixture
def workers(storm: Storm, database_url: str, nursery: Nursery) -> Iterator[Workers]:
    """Workers on the storm's database."""
    made = Workers(nursery, database_url)
    yield made
    made.kill_all()


@pytest.mark.parametrize("point", ["claimed", "half-written", "written", "committed"])
def test_a_worker_killed_at_the_worst_moment(storm: Storm, workers: Workers, point: str) -> None:
    for _ in range(2):
        storm.raise_wave(8)
        assert workers.reap(workers.start(point, "SIGKILL")) == "SIGKILL"
    storm.raise_wave(8)
    workers.start()

    storm.await_end()
    storm.check()


def test_workers_killed_at_random(storm: Storm, workers: Workers) -> None:
    dice = random.Random(20)
    storm.raise_wave(60, seconds=examples(4))
    alive = [workers.start() for _ in range(3)]

    for _ in range(examples(10)):
        time.sleep(dice.uniform(0.05, 0.5))
        workers.kill(alive.pop(dice.randrange(3)))
        alive.append(workers.start())

    storm.await_end()
    storm.check()


def test_a_worker_frozen_with_complaints_in_hand_does_nothing_twice(
    migrated_database_url: Callable[[str], str], nursery: Nursery
) -> None:
    """On PostgreSQL; a frozen writer of the embedded database stops the house until it is continued."""
    url = migrated_database_url("postgresql")
    storm = Storm(house_in_operation(url))
    workers = Workers(nursery, url)
    storm.raise_wave(8)
    frozen = workers.start("written", "SIGSTOP")
    assert workers.reap(frozen) == "SIGSTOP"

    storm.raise_wave(8)
    workers.start()
    storm.await_end()  # the server ends a transaction that stands idle for 5 s
    os.kill(frozen, signal.SIGCONT)
    time.sleep(1)

    workers.kill_all()
    storm.check()
    storm.service.database.engine.dispose()
