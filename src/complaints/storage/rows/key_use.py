"""When each API key was last used. Requests note it in memory; a loop writes it down."""

import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Table, select

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata
from complaints.storage.database.upsert import insert_or_update

key_use = Table(
    "key_use",
    metadata,
    Column("key_id", ForeignKey("api_key.id"), primary_key=True),
    Column("last_used_at", UtcDateTime, nullable=False),
)
u = key_use.c


class KeyUses:
    """The keys that requests of this process used, and when, until a loop takes them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: dict[UUID, float] = {}

    def note(self, key_id: UUID) -> None:
        """Note a use now. Asks no database."""
        with self._lock:
            self._noted[key_id] = time.monotonic()

    def take(self) -> dict[UUID, float]:
        """The seconds since the last use of each noted key. Nothing is noted afterwards."""
        with self._lock:
            taken, self._noted = self._noted, {}
        now = time.monotonic()
        return {key_id: now - at for key_id, at in taken.items()}


def find_uses(tx: Transaction) -> dict[UUID, datetime]:
    """The written last use of each key that has one."""
    rows = tx.connection.execute(select(u.key_id, u.last_used_at))
    return {row.key_id: row.last_used_at for row in rows}


def choose_uses(tx: Transaction, ages: Mapping[UUID, float], *, least_seconds: float) -> dict[UUID, datetime]:
    """The uses to write, `ages` seconds ago: those at least `least_seconds` after the written last use."""
    written = find_uses(tx)
    used = {key_id: tx.now - timedelta(seconds=age) for key_id, age in ages.items()}
    least = timedelta(seconds=least_seconds)
    return {
        key_id: at for key_id, at in used.items() if key_id not in written or at - written[key_id] >= least
    }


def write_uses(tx: Transaction, uses: Mapping[UUID, datetime]) -> None:
    """Write the last use of keys. The order of the ids keeps processes from a deadlock."""
    for key_id in sorted(uses):
        insert_or_update(tx, key_use, {"key_id": key_id, "last_used_at": uses[key_id]})
