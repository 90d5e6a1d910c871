"""Processes that follow the history are killed at random during intake: nothing is lost and nothing counted twice."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.checks import check_followers
from tests.conftest import DATABASE_KINDS
from tests.examples import examples
from tests.features.category_counts import tables, use_cases
from tests.features.conftest import make_tables
from tests.features.test_following import assert_counted_exactly, find_after, whole_feed
from tests.fork_client import ForkedProcess, ForkServer
from tests.support import Scenario, check_all

ROOT = Path(__file__).resolve().parents[2]
CATEGORIES = ("network.outage", "billing.wrong_charge", "other.other")


@contextmanager
def intake(service: Service) -> Iterator[Future[int]]:
    """Complaints come in, and some are withdrawn, until the block ends. The result: how many events that was."""
    scenario, stop, dice = Scenario(service), Event(), random.Random(3)

    def post() -> int:
        count = 0
        while not stop.is_set():
            complaint = scenario.post(category=dice.choice(CATEGORIES))
            count += 1
            if dice.random() < 0.3:
                scenario.act(complaint, "withdraw", reason="solved itself")
                count += 1
        return count

    with ThreadPoolExecutor(1) as pool:
        counted = pool.submit(post)
        try:
            yield counted
        finally:
            stop.set()


class Followers:
    """Begins processes that follow, and kills them."""

    def __init__(self, fork_server: ForkServer, url: str, log: Path) -> None:
        self._fork_server = fork_server
        self._url = url
        self._log = log

    def begin(self, batch: int, *points: str) -> ForkedProcess:
        """A process that follows with batches of this size, and kills itself at a point if one is given."""
        return self._fork_server.start(
            "tests.features.following_process",
            [self._url, str(batch), *points],
            environment=dict(os.environ),
            directory=ROOT,
            log=self._log,
        )

    def kill_at_random(self, kills: int) -> None:
        """Two processes follow at a time. One of them is killed at a random moment and replaced, again and again."""
        dice = random.Random(11)
        alive = [self.begin(7), self.begin(3)]
        for _ in range(kills):
            time.sleep(dice.uniform(0.05, 0.35))
            killed = alive.pop(dice.randrange(2))
            assert killed.poll() is None, self._log.read_text(encoding="utf-8")
            killed.kill()
            alive.append(self.begin(dice.randint(1, 9)))
        for process in alive:
            process.kill()
            process.wait()


def count_all(service: Service) -> None:
    """Count until the cursor is at the end of the history.

    PostgreSQL may hold the cursor for a killed process a moment longer. Until then nothing is counted, though there
    is more.
    """
    end, deadline = whole_feed(service)[-1].sequence, time.monotonic() + 30
    while use_cases.count_next(service, limit=100) or find_after(service) != end:
        assert time.monotonic() < deadline, (
            f"the cursor is at {find_after(service)}, the history ends at {end}"
        )


@pytest.fixture(params=DATABASE_KINDS)
def database_url(request: pytest.FixtureRequest, migrated_database_url: Callable[[str], str]) -> str:
    """A database of its own, with the tables of the fixture annex."""
    return make_tables(migrated_database_url(request.param))


@pytest.fixture
def followers(database_url: str, fork_server: ForkServer, tmp_path: Path) -> Followers:
    """Processes on the database of the test."""
    return Followers(fork_server, database_url, tmp_path / "followers.log")


@pytest.mark.parametrize("point", ["handled", "committed"])
def test_a_follower_killed_at_the_worst_moment(service: Service, followers: Followers, point: str) -> None:
    scenario = Scenario(service)
    for _ in range(8):
        scenario.post(category="network.outage")
    for _ in range(2):
        assert followers.begin(3, point).wait(30) == -signal.SIGKILL
    assert len(service.read(tables.find_events)) == {"handled": 0, "committed": 6}[point]
    count_all(service)
    assert assert_counted_exactly(service) == 8


def test_followers_killed_at_random_during_intake(service: Service, followers: Followers) -> None:
    with intake(service) as written:
        followers.kill_at_random(examples(12))
        counted_while_killed = len(service.read(tables.find_events))
    count_all(service)

    assert assert_counted_exactly(service) == written.result(timeout=30)
    assert counted_while_killed > 20
    assert [*check_all(service), *check_followers(service, {use_cases.NAME})] == []
