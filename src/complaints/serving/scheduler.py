"""The loops: APScheduler ticks in this process; what there is to do is claimed from the database.

Deadlines are rows of ours, never jobs: a job store shared between processes would run them several times.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loop:
    """Something to do again and again: every `seconds`, or at the times of a cron expression in UTC."""

    name: str
    work: Callable[[], None]
    seconds: float | None = None
    cron: str | None = None


@dataclass(slots=True)
class Loops:
    """Runs loops, each in at most one thread at a time, until stopped. A loop that fails is logged and goes on."""

    loops: tuple[Loop, ...]
    stopping: threading.Event = field(default_factory=threading.Event)
    _scheduler: BackgroundScheduler = field(init=False)

    def start(self) -> None:
        """Start ticking, at once."""
        # No misfire limit: a late tick is still to be run, and once is enough for all that were missed.
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        )
        for loop in self.loops:
            trigger = (
                CronTrigger.from_crontab(loop.cron, "UTC")
                if loop.cron
                else IntervalTrigger(seconds=loop.seconds)
            )
            self._scheduler.add_job(_guarded, trigger, args=[loop], id=loop.name)
        self._scheduler.start()

    def stop(self) -> None:
        """Finish what is being done and tick no more."""
        self.stopping.set()
        self._scheduler.shutdown(wait=True)


def _guarded(loop: Loop) -> None:
    try:
        loop.work()
    except Exception:  # the next tick tries again; a loop that ended would be a clock that stopped
        log.exception("a loop failed", extra={"loop": loop.name})
