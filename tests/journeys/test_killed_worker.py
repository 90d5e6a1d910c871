"""Workers die at any moment, and still each step is taken exactly once and none before its time (domain §3)."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from complaints.domain.deadlines import clockwork
from complaints.domain.escalation import schedule
from complaints.handling.checks import check_all
from complaints.handling.engine import Engine
from complaints.storage import aggregate, waking
from complaints.storage.clock import sandbox_clock
from complaints.storage.escalation import escalation
from complaints.storage.unit_of_work import Database, Transaction, open_engine
from complaints.wiring import new_id, wall_clock, wall_now
from tests.journeys.running_server import Launcher
from tests.support import House

NURSERY = Path(__file__).with_name("worker_nursery.py")
# Hours from receipt to a step of the built-in ladders on first response (24 h) and resolution (48 h).
STEPS_AT = (12, 19.2, 24, 36, 38.4, 48, 60, 72)
Taken = tuple[UUID, str, datetime]  # deadline, step, planned time


class Nursery:
    """Starts workers and hears how they end."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(self, *arming: str) -> int:
        """The process id of a new worker; see `worker_nursery`."""
        return int(self._ask("start", *arming))

    def reap(self, pid: int) -> str:
        """By which signal a worker ended or stopped, once it has."""
        return self._ask("reap", str(pid))

    def kill(self, pid: int) -> None:
        """End a worker as a power cut does."""
        os.kill(pid, signal.SIGKILL)
        assert self.reap(pid) == "SIGKILL"

    def _ask(self, *words: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@dataclass
class Storm:
    """Complaints whose steps fall due from now on, for `seconds`, on a database with the wall clock."""

    engine: Engine
    started_at: datetime
    seconds: float

    def is_over(self) -> bool:
        """Whether every step has been taken."""
        return wall_now() > self.ends_at and not self.engine.read(waking.is_any_due)

    @property
    def ends_at(self) -> datetime:
        """When the last step falls due."""
        return self.started_at + timedelta(seconds=self.seconds)

    def await_end(self, seconds: float = 30) -> None:
        """Until every step has been taken."""
        deadline = time.monotonic() + self.seconds + seconds
        while not self.is_over():
            assert time.monotonic() < deadline, "steps are left that nobody takes"
            time.sleep(0.05)

    def planned(self, tx: Transaction) -> list[Taken]:
        """What the policy asks for until the end of the storm."""
        catalogue = self.engine.catalogue(tx)
        found = []
        for loaded in aggregate.find_complaints(tx):
            complaint = loaded.complaint
            policy = catalogue.policy(complaint.policy_code, complaint.policy_version)
            for deadline in complaint.deadlines:
                steps = schedule(deadline, clockwork(deadline, complaint, policy), policy)
                found += [
                    (deadline.id, s.step.name, s.planned_at) for s in steps if s.wake_at <= self.ends_at
                ]
        return sorted(found)

    def check(self) -> None:
        """Each planned step was taken exactly once, none before its time, and every invariant holds."""
        with self.engine.database.read() as tx:
            rows = tx.connection.execute(select(escalation)).mappings().all()
            assert sorted((r["deadline_id"], r["step"], r["planned_at"]) for r in rows) == self.planned(tx)
        assert all(row["taken_at"] >= row["planned_at"] for row in rows)
        assert list(check_all(self.engine)) == []


@pytest.fixture
def wall_url(database_url: str) -> str:
    """A database like that of a house in operation: it goes by the wall clock."""
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(delete(sandbox_clock))
    engine.dispose()
    return database_url


@pytest.fixture
def storm(wall_url: str) -> Iterator[Callable[[int, float], Storm]]:
    """Registers so many complaints, as of long ago, that steps fall due all the time for so many seconds."""
    engine = Engine(Database(open_engine(wall_url), wall_clock), new_id)

    def raised(count: int, seconds: float) -> Storm:
        started_at, dice = wall_now(), random.Random(7)
        for n in range(count):
            due_at = started_at + timedelta(seconds=dice.uniform(0, seconds))
            received_at = due_at - timedelta(hours=STEPS_AT[n % len(STEPS_AT)])
            _register(engine, received_at)
        return Storm(engine, started_at, seconds)

    yield raised
    engine.database.engine.dispose()


def _register(engine: Engine, received_at: datetime) -> None:
    """A complaint registered at that time: nothing of what has happened to its clocks since is on record."""
    past = Engine(Database(engine.database.engine, lambda _connection: received_at), new_id, engine.cache)
    House(past).post()


@pytest.fixture
def nursery(wall_url: str, launcher: Launcher) -> Iterator[Nursery]:
    """Workers on the storm's database; when the test fails, what they printed is shown."""
    log = launcher.directory / "workers.log"
    with subprocess.Popen(
        [sys.executable, str(NURSERY), str(log)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=launcher.directory,
        env=launcher.environment(wall_url),
    ) as process:
        yield Nursery(process)
        assert process.stdin is not None
        process.stdin.close()
    sys.stdout.write(log.read_text())


@pytest.mark.parametrize("point", ["claimed", "half-written", "written", "committed"])
def test_a_worker_killed_at_the_worst_moment(
    storm: Callable[[int, float], Storm], nursery: Nursery, point: str
) -> None:
    raised = storm(24, 3.0)

    for _ in range(2):
        assert nursery.reap(nursery.start(point, "1", "SIGKILL")) == "SIGKILL"
    nursery.start()

    raised.await_end()
    raised.check()


def test_workers_killed_at_random(storm: Callable[[int, float], Storm], nursery: Nursery) -> None:
    dice = random.Random(20)
    raised = storm(80, 8.0)
    alive = [nursery.start() for _ in range(3)]

    for _ in range(20):
        time.sleep(dice.uniform(0.1, 0.6))
        nursery.kill(alive.pop(dice.randrange(3)))
        alive.append(nursery.start())

    raised.await_end()
    raised.check()
