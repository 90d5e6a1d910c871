"""Changes of the product in one process, before it runs: a wrong clock, a missing defence, a signal at a point."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from complaints.domain.complaint.change import ENGINE, Change
from complaints.domain.rules.passing_time import catch_up
from complaints.storage import load
from complaints.storage.database import bulk
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import due_complaints
from complaints.storage.rows import complaint, deadline
from complaints.storage.rows.complaint import ComplaintRecord
from complaints.storage.save import ChangeToSave, save
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep import loops
from complaints.use_cases.upkeep.sweep import BATCH, SweepResult
from complaints.wiring import annexes, clocks
from tests.features.reviews.feature import FEATURE as REVIEWS

CLOCK_FILE = "FAULTS_CLOCK_FILE"
# A point is the end of a call: its module, its function, and whether a call with these arguments and this result
# did something. A worker that dies at these points has claimed complaints, has written some rows, has written all
# rows without the commit, or has committed.
POINTS: dict[str, tuple[ModuleType, str, Callable[[tuple[Any, ...], Any], bool]]] = {
    "claimed": (due_complaints, "claim_due", lambda arguments, claimed: bool(claimed)),
    "half-written": (deadline, "update_deadlines", lambda arguments, nothing: bool(arguments[1])),
    "written": (bulk, "_write", lambda arguments, nothing: bool(arguments[1])),
    "committed": (loops, "sweep_once", lambda arguments, swept: swept.claimed > 0),
}


def arm(point: str, sent: signal.Signals) -> None:
    """This process sends itself a signal when it first passes the point."""
    module, name, counts = POINTS[point]
    original = getattr(module, name)
    is_armed = True

    def armed(*arguments: Any, **options: Any) -> Any:
        nonlocal is_armed
        result = original(*arguments, **options)
        if is_armed and counts(arguments, result):
            is_armed = False
            signal.pthread_kill(threading.get_ident(), sent)  # before this thread does anything else
        return result

    setattr(module, name, armed)


def with_reviews() -> None:
    """The process has the fixture annex, whose subjects have clocks too."""
    annexes.FEATURES = (*annexes.FEATURES, REVIEWS)


def shifted_clock() -> None:
    """The wall clock is wrong by the seconds in a file, which is read at every look at the clock."""
    right, file = clocks.wall_now, Path(os.environ[CLOCK_FILE])

    def shifted() -> datetime:
        return right() + timedelta(seconds=float(file.read_text() or 0))

    clocks.wall_now = shifted


def no_lock() -> None:
    """Neither an action nor a sweep locks the complaints that it reads."""
    locked = complaint.find_rows

    def unlocked(tx: Transaction, *conditions: Any, lock: bool = False) -> Any:
        return locked(tx, *conditions)

    load.find_rows = unlocked
    due_complaints.find_rows = unlocked
    due_complaints.claim_due = _claimed_by_all


def _claimed_by_all(tx: Transaction, *, limit: int) -> list[ComplaintRecord]:
    c = complaint.complaint.c
    due = (
        select(c.id).where(c.wake_at <= tx.now, c.parked_at.is_(None)).order_by(c.wake_at, c.id).limit(limit)
    )
    return load.find_complaints(tx, c.id.in_(list(tx.connection.execute(due).scalars())))


def no_version_guard() -> None:
    """A row is written although its version has changed since it was read."""
    complaint.update_rows = _update_unguarded


def _update_unguarded(tx: Transaction, rows: list[dict[str, Any]]) -> int:
    keys = ("key_id", "key_version")
    changed = {name: bindparam(name) for name in rows[0] if name not in keys}
    table = complaint.complaint
    statement = update(table).where(table.c.id == bindparam("key_id")).values(changed)
    return tx.connection.execute(
        statement, [{k: v for k, v in row.items() if k != "key_version"} for row in rows]
    ).rowcount


def two_transactions() -> None:
    """A sweep marks complaints as taken in one transaction, and acts in a second transaction."""
    loops.sweep_once = _sweep_in_two


def death_between() -> None:
    """A process that sweeps in two transactions kills itself between them."""
    global _between
    _between = _die


def _go_on(_marked: Sequence[UUID]) -> None:
    pass


def _die(marked: Sequence[UUID]) -> None:
    if marked:
        os.kill(os.getpid(), signal.SIGKILL)


_between: Callable[[Sequence[UUID]], None] = _go_on


def _mark(tx: Transaction, limit: int) -> Sequence[UUID]:
    claimed = [loaded.complaint.id for loaded in due_complaints.claim_due(tx, limit=limit)]
    table = complaint.complaint
    tx.connection.execute(update(table).where(table.c.id.in_(claimed)).values(wake_at=None))
    return claimed


def _sweep_in_two(service: Service, *, batch: int = BATCH) -> SweepResult:
    marked = service.write(lambda tx: _mark(tx, batch))
    _between(marked)

    def act(tx: Transaction) -> SweepResult:
        configuration = service.configuration(tx)
        plans = []
        for loaded in load.find_complaints(tx, complaint.complaint.c.id.in_(marked)):
            change = Change(loaded.complaint, actor=ENGINE, new_id=service.new_id)
            policy = configuration.policy(change.complaint.policy_code, change.complaint.policy_version)
            catch_up(change, policy, configuration.directory, tx.now)
            plans.append(ChangeToSave(change, loaded.history_end))
        save(tx, plans, service.new_id)
        return SweepResult(complaints=len(plans))

    return service.write(act)
