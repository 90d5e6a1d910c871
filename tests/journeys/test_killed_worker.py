"""Workers die at any moment: still each step is taken exactly once and none before its time (domain §3)."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
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
from complaints.storage.unit_of_work import Connection, Database, Transaction, open_engine
from complaints.wiring import new_id, wall_clock, wall_now
from tests.journeys.running_server import launching
from tests.support import House

NURSERY = Path(__file__).with_name("worker_nursery.py")
# Hours from receipt to a step of the built-in ladders on first response (24 h) and resolution (48 h).
STEPS_AT = (12, 19.2, 24, 36, 38.4, 48, 60, 72)
Planned = tuple[UUID, str, datetime]  # deadline, step, planned time
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


def _stopped_clock(now: datetime, _connection: Connection) -> datetime:
    return now


class Storm:
    """Complaints whose steps fall due until `ends_at`, on a database with the wall clock."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.ends_at = wall_now()

    def raise_wave(self, count: int, *, seconds: float = 0) -> None:
        """Register complaints as of long ago: nothing of what their clocks brought since is on record.

        A step of each falls due within `seconds` from now; those before it are overdue.
        """
        now, dice = wall_now(), random.Random(7)
        for n in range(count):
            due_at = now + timedelta(seconds=dice.uniform(0, seconds))
            received_at = due_at - timedelta(hours=STEPS_AT[n % len(STEPS_AT)])
            past = Database(self.engine.database.engine, partial(_stopped_clock, received_at))
            House(Engine(past, new_id, self.engine.cache)).post()
        self.ends_at = now + timedelta(seconds=seconds, milliseconds=1)

    def await_end(self) -> None:
        """Until every step has been taken."""
        deadline = time.monotonic() + 60
        while wall_now() <= self.ends_at or self.engine.read(waking.is_any_due):
            assert time.monotonic() < deadline, "steps are left that nobody takes"
            time.sleep(0.05)

    def check(self) -> None:
        """Each planned step was taken exactly once, none before its time, and every invariant holds."""
        with self.engine.database.read() as tx:
            rows = tx.connection.execute(select(escalation)).mappings().all()
            assert sorted((r["deadline_id"], r["step"], r["planned_at"]) for r in rows) == self._planned(tx)
        assert all(row["taken_at"] >= row["planned_at"] for row in rows)
        assert list(check_all(self.engine)) == []

    def _planned(self, tx: Transaction) -> list[Planned]:
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


def _house_in_operation(url: str) -> Engine:
    """The engine on a copy of the sandbox that is none any more: it goes by the wall clock."""
    database = Database(open_engine(url), wall_clock)
    with database.begin() as tx:
        tx.connection.execute(delete(sandbox_clock))
    return Engine(database, new_id)


@pytest.fixture
def storm(database_url: str) -> Iterator[Storm]:
    """An empty house in operation, on each engine, before the storm."""
    engine = _house_in_operation(database_url)
    yield Storm(engine)
    engine.database.engine.dispose()


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
    storm.raise_wave(60, seconds=8)
    alive = [workers.start() for _ in range(3)]

    for _ in range(20):
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
    storm = Storm(_house_in_operation(url))
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
    storm.engine.database.engine.dispose()
