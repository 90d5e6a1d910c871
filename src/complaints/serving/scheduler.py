"""The loops of a process: APScheduler calls each one again and again. The database says what there is to do.

Deadlines are rows, not jobs: a job store that several processes share would run each job several times.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

# No misfire limit: a late run still counts, and one run stands for all that were missed.
_JOB_DEFAULTS = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
_ASK_AGAIN = timedelta(milliseconds=10)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loop:
    """Work that is repeated: every `seconds`, or at the times of a cron expression in UTC.

    `work` may return the seconds after which it wants to run again, if that is earlier.
    """

    name: str
    work: Callable[[], float | None]
    seconds: float | None = None
    cron: str | None = None


@dataclass(slots=True)
class Loops:
    """Runs loops, each in one thread at a time, until stopped. A loop that fails is logged and runs again.

    `wall` is the clock of APScheduler: the present instant in UTC.
    """

    loops: tuple[Loop, ...]
    wall: Callable[[], datetime]
    stopping: threading.Event = field(default_factory=threading.Event)
    _scheduler: BackgroundScheduler = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _running: set[str] = field(default_factory=set, init=False)
    _asked_times: dict[str, datetime] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        # A thread for each loop, so that slow loops never delay the sweep.
        threads = ThreadPoolExecutor(max_workers=len(self.loops))
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults=_JOB_DEFAULTS, executors={"default": threads}
        )
        self._scheduler.add_listener(self._ask_again, EVENT_JOB_MAX_INSTANCES)

    def start(self) -> None:
        """Start the loops. Each one runs first when its time has come, or when it is hastened."""
        for loop in self.loops:
            trigger = (
                CronTrigger.from_crontab(loop.cron, "UTC")
                if loop.cron
                else IntervalTrigger(seconds=loop.seconds)
            )
            self._scheduler.add_job(self._run, trigger, args=[loop], id=loop.name)
        self._scheduler.start()

    def stop(self) -> None:
        """Finish the running work and start no more."""
        with self._lock:  # a run that looks for its job while the scheduler shuts down would block both
            self.stopping.set()
        self._scheduler.shutdown(wait=True)

    def hasten(self, name: str, seconds: float) -> None:
        """Run the loop `name` in `seconds` from now, unless it runs earlier anyway.

        A loop that is running now runs once more: it may have looked before the caller's commit.
        """
        self._ask(name, self.wall() + timedelta(seconds=seconds))

    def _ask_again(self, event: JobSubmissionEvent) -> None:
        """Ask again for a run that APScheduler refused: it counts a run until shortly after its end."""
        self._ask(event.job_id, self.wall() + _ASK_AGAIN)

    def _ask(self, name: str, at: datetime) -> None:
        with self._lock:
            if name in self._running:
                self._note_asked_time(name, at)
            else:
                self._run_by(name, at)

    def _run(self, loop: Loop) -> None:
        with self._lock:
            self._running.add(loop.name)
        seconds = None
        try:
            seconds = loop.work()
        except Exception:  # the loop runs again: a loop that ended would be a clock that stopped
            log.exception("a loop failed", extra={"loop": loop.name})
        with self._lock:
            self._running.discard(loop.name)
            if seconds is not None:
                self._note_asked_time(loop.name, self.wall() + timedelta(seconds=seconds))
            if (at := self._asked_times.pop(loop.name, None)) is not None:
                self._run_by(loop.name, at)

    def _note_asked_time(self, name: str, at: datetime) -> None:
        self._asked_times[name] = min(at, self._asked_times.get(name, at))

    def _run_by(self, name: str, at: datetime) -> None:
        """Bring the next run of a loop forward to `at`, if it is planned later. The caller holds the lock."""
        if self.stopping.is_set():
            return
        job = self._scheduler.get_job(name)
        if job is not None and (job.next_run_time is None or at < job.next_run_time):
            job.modify(next_run_time=at)
