"""The work of each loop of a process, and the heartbeat that shows the process alive."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from complaints.domain.errors import Unavailable
from complaints.domain.rules.passwords import FORGOTTEN
from complaints.storage import months
from complaints.storage.database.loop_names import LONGEST_SLEEP_SECONDS
from complaints.storage.queries import due_complaints
from complaints.storage.rows import draft, failed_sign_in, heartbeat, idempotency, session
from complaints.use_cases.service import Service, Transaction
from complaints.use_cases.upkeep.sweep import BATCH, SweepResult, log_result, sweep_once

BEAT_SECONDS = 5.0
RETRY_SECONDS = 0.2
CHORE_BATCH = 1000
GATHER_SECONDS = 0.05  # complaints that fall due one after the other are swept together
_FORGOTTEN = timedelta(hours=1)
_PARKED = timedelta(hours=1)
DRAFTS_KEPT = timedelta(days=7)
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Sweeper:
    """Sweeps when complaints are due, and writes a heartbeat.

    `wall` is the wall clock, also in a sandbox. `observe` is called with the result of every sweep.
    """

    service: Service
    node: str
    wall: Callable[[], datetime]
    observe: Callable[[SweepResult], None]
    stopping: Callable[[], bool] = lambda: False
    _batch: int = field(default=BATCH, init=False)
    _beat_at: float = field(default=float("-inf"), init=False)
    _lag_seconds: float = field(default=0.0, init=False)

    def sweep_due(self) -> float:
        """Sweep batch by batch until nothing is due. Returns the seconds until the next complaint is due."""
        while (seconds := self._seconds_to_next_wake()) <= 0:
            batch = self._batch
            swept = self._sweep()
            self._lag_seconds = max(swept.lags_seconds, default=0.0)
            self.observe(swept)
            log_result(swept)
            self._beat()
            if swept.claimed < batch or self.stopping():
                # If nothing was claimed, another process has locked the complaints that are due.
                pause = GATHER_SECONDS if swept.claimed else RETRY_SECONDS
                seconds = max(self._seconds_to_next_wake(), pause)
                break
        self._beat()
        return min(seconds, LONGEST_SLEEP_SECONDS)

    def _seconds_to_next_wake(self) -> float:
        return self.service.read(due_complaints.seconds_to_next_wake)

    def _sweep(self) -> SweepResult:
        """Sweep a batch. After a failure the next batches are smaller.

        The database ends a transaction that is silent for 5 s. A batch of the same size could fail again and again.
        """
        try:
            swept = sweep_once(self.service, batch=self._batch)
        except Unavailable:
            self._batch = max(self._batch // 4, 1)
            raise
        self._batch = min(self._batch * 2, BATCH)
        return swept

    def _beat(self) -> None:
        if time.monotonic() - self._beat_at < BEAT_SECONDS:
            return
        self._beat_at = time.monotonic()
        at, lag = self.wall(), self._lag_seconds
        self.service.write(lambda tx: heartbeat.beat(tx, self.node, at=at, lag_seconds=lag))
        self._lag_seconds = 0.0


def beat_without_sweep(service: Service, node: str, wall: Callable[[], datetime]) -> None:
    """Write the heartbeat of a process that only serves the API: a migration finds its program there."""
    service.write(lambda tx: heartbeat.beat(tx, node, at=wall(), sweeps=False))


def end_heartbeat(service: Service, node: str) -> None:
    """Delete the heartbeat of this process, which ends. If the database is away, the heartbeat grows old instead."""
    with suppress(Unavailable):
        service.write(lambda tx: heartbeat.forget_node(tx, node))


def do_chores(service: Service, wall: Callable[[], datetime], *, history_months: int | None = None) -> None:
    """Do the hourly chores, one after the other.

    Complaints and other subjects that were set aside are tried again. Months are made and detached. Old answers,
    drafts, sessions, counts of failed sign-ins and heartbeats are deleted. A chore that fails is logged, and the
    others are done. `history_months` is the number of whole months the history keeps beside the current one; None
    keeps all.
    """
    chores: dict[str, Callable[[], object]] = {
        "unpark subjects": lambda: _unpark(service),
        "keep months": lambda: keep_months(service, history_months=history_months),
        "forget answers": lambda: _repeat(service, idempotency.forget_answers, idempotency.KEPT),
        "forget drafts": lambda: _repeat(service, draft.forget_drafts, DRAFTS_KEPT),
        "forget sessions": lambda: _forget_accounts(service, wall),
        "forget nodes": lambda: service.write(lambda tx: heartbeat.forget_nodes(tx, wall() - _FORGOTTEN)),
    }
    for name, work in chores.items():
        try:
            work()
        except Exception:  # the other chores do not depend on it, and it is tried again in an hour
            log.exception("a chore failed", extra={"chore": name})


def _unpark(service: Service) -> None:
    if unparked := _repeat(service, due_complaints.unpark, _PARKED):
        log.info("subjects are unparked and tried again", extra={"subjects": unparked})


def _forget_accounts(service: Service, wall: Callable[[], datetime]) -> None:
    """Delete sessions that have expired, and old counts of failed sign-ins."""
    while service.write(lambda tx: session.forget_sessions(tx, wall(), CHORE_BATCH)) == CHORE_BATCH:
        pass
    service.write(lambda tx: failed_sign_in.forget_old_failures(tx, wall() - FORGOTTEN))


def _repeat(service: Service, work: Callable[[Transaction, datetime, int], int], age: timedelta) -> int:
    """Work on rows older than `age`, in transactions of limited size, until none is left or the others are locked.

    Returns the number of rows.
    """
    total, count = 0, CHORE_BATCH
    while count == CHORE_BATCH:
        count = service.write(lambda tx: work(tx, tx.now - age, CHORE_BATCH))
        total += count
    return total


def keep_months(service: Service, *, history_months: int | None = None) -> None:
    """Make the partition of the month that has begun, and detach months that are no longer kept."""
    if made := service.write(lambda tx: months.make_month(tx, tx.now.date())):
        log.info("a month of the history was made", extra={"month": made.name})
    service.write(months.turn_month)
    if history_months is None:
        return
    while gone := service.write(lambda tx: months.detach_month(tx, _kept_from(tx.now, history_months))):
        bounds = f"FROM ({gone.lower or 'MINVALUE'}) TO ({gone.upper})"
        log.info("a month of the history was detached", extra={"month": gone.name, "bounds": bounds})


def _kept_from(now: datetime, count: int) -> date:
    return months.month_after(now.date(), -count)
