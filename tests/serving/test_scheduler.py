"""Loops run in time, run earlier when they are hastened, and lose no wish to run."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from apscheduler.executors.base import BaseExecutor

from complaints.serving.scheduler import Loop, Loops
from complaints.wiring import wall_now

LONG = 3600.0


class Work:
    """Notes when it ran, and runs as long as it is held."""

    def __init__(self, *, wish: float | None = None) -> None:
        self.runs: list[float] = []
        self.begun = threading.Event()
        self.released = threading.Event()
        self.released.set()
        self._wish = wish

    def __call__(self) -> float | None:
        self.runs.append(time.monotonic())
        self.begun.set()
        assert self.released.wait(30)
        return self._wish

    def await_runs(self, count: int, seconds: float = 10) -> None:
        until = time.monotonic() + seconds
        while len(self.runs) < count:
            assert time.monotonic() < until, f"{len(self.runs)} of {count} runs in {seconds} s"
            time.sleep(0.005)


@contextmanager
def running(work: Work, *, seconds: float = LONG) -> Iterator[Loops]:
    loops = Loops((Loop("work", work, seconds=seconds),), wall_now)
    loops.start()
    try:
        yield loops
    finally:
        work.released.set()
        loops.stop()


def test_a_loop_runs_again_after_its_seconds() -> None:
    work = Work()
    with running(work, seconds=0.1):
        work.await_runs(3)


def test_a_hastened_loop_runs_at_once() -> None:
    work = Work()
    with running(work) as loops:
        loops.hasten("work", 0)
        work.await_runs(1)


def test_a_hastened_loop_runs_after_the_seconds_asked_for() -> None:
    work = Work()
    with running(work) as loops:
        asked_at = time.monotonic()
        loops.hasten("work", 0.3)
        loops.hasten("work", 60)  # later: it changes nothing
        work.await_runs(1)
    assert work.runs[0] - asked_at >= 0.29


def test_a_loop_hastened_while_it_runs_runs_once_more() -> None:
    work = Work()
    with running(work) as loops:
        work.released.clear()
        loops.hasten("work", 0)
        assert work.begun.wait(10)
        loops.hasten("work", 0)
        work.released.set()
        work.await_runs(2)


def test_the_work_says_when_it_runs_next() -> None:
    work = Work(wish=0.05)
    with running(work) as loops:
        loops.hasten("work", 0)
        work.await_runs(4)


def test_work_that_fails_runs_again() -> None:
    runs: list[float] = []

    def fail() -> float | None:
        runs.append(time.monotonic())
        raise RuntimeError("broken")

    loops = Loops((Loop("work", fail, seconds=0.1),), wall_now)
    loops.start()
    until = time.monotonic() + 10
    while len(runs) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    loops.stop()
    assert len(runs) >= 2


@pytest.mark.parametrize("moment", ["before the start", "after the end"])
def test_hastening_at_the_wrong_moment_does_nothing(moment: str) -> None:
    work = Work()
    loops = Loops((Loop("work", work, seconds=LONG),), wall_now)
    if moment == "after the end":
        loops.start()
        loops.stop()
    loops.hasten("work", 0)
    assert work.runs == []


def test_no_wish_to_run_at_once_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """APScheduler counts a run until shortly after its end. It refuses more runs than `max_instances` meanwhile."""
    count_down = BaseExecutor._run_job_success

    def count_down_slowly(self: BaseExecutor, job_id: str, events: object) -> None:
        time.sleep(0.02)
        count_down(self, job_id, events)

    monkeypatch.setattr(BaseExecutor, "_run_job_success", count_down_slowly)
    work = Work(wish=0.0)
    with running(work) as loops:
        loops.hasten("work", 0)
        work.await_runs(20)  # after a lost wish the loop would sleep for an hour


def test_a_loop_is_never_run_twice_at_once() -> None:
    inside, most = 0, 0
    lock = threading.Lock()

    def work() -> float | None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.005)
        with lock:
            inside -= 1
        return 0.0

    loops = Loops((Loop("work", work, seconds=0.01),), wall_now)
    loops.start()
    for _ in range(100):
        loops.hasten("work", 0)
        time.sleep(0.005)
    loops.stop()
    assert most == 1


def test_the_end_does_not_wait_for_a_run_that_waits_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run looks for its job when it ends. The scheduler holds its own lock while it waits for the runs."""
    work = Work(wish=0.0)
    loops = Loops((Loop("work", work, seconds=LONG),), wall_now)
    find = loops._scheduler.get_job

    def find_slowly(name: str) -> object:
        time.sleep(0.2)
        return find(name)

    monkeypatch.setattr(loops._scheduler, "get_job", find_slowly)
    loops.start()
    loops.hasten("work", 0)
    work.await_runs(1)
    stopper = threading.Thread(target=loops.stop, daemon=True)
    stopper.start()
    stopper.join(10)
    assert not stopper.is_alive()
