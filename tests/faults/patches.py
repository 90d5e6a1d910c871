"""What a process of the product may be started with: a clock that is off, or one of its defences taken away.

Each function changes the product in this process, before it runs.
"""

import os
import signal
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from complaints import wiring
from complaints.domain.complaint.change import ENGINE, Change
from complaints.domain.rules.passing_time import catch_up
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import due_complaints
from complaints.storage.rows import complaint
from complaints.storage.rows.complaint import ComplaintRecord
from complaints.storage.save import ChangeToSave, save
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep import loops
from complaints.use_cases.upkeep.sweep import BATCH, SweepResult

CLOCK_FILE = "FAULTS_CLOCK_FILE"


def shifted_clock() -> None:
    """The wall clock is off by the seconds that stand in a file, looked up at every glance."""
    right, file = wiring.wall_now, Path(os.environ[CLOCK_FILE])

    def shifted() -> datetime:
        return right() + timedelta(seconds=float(file.read_text() or 0))

    wiring.wall_now = shifted


def no_lock() -> None:
    """Complaints are read without being locked, to be changed or to be advanced."""
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
    """Rows are written whatever version they have by then."""
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
    """A sweep marks complaints as taken in one transaction, and acts in the next."""
    loops.sweep_once = _sweep_in_two


def death_between() -> None:
    """A process that sweeps in two transactions dies between them."""
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
            plans.append(ChangeToSave(change, loaded.tip))
        save(tx, plans, service.new_id)
        return SweepResult(complaints=len(plans))

    return service.write(act)
