"""The last heartbeat of each process that sweeps. Readiness is judged by it in any process."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Float, RowMapping, String, Table, delete, select

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata
from complaints.storage.database.upsert import insert_or_update

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("node", String(200), primary_key=True),
    Column("ticked_at", UtcDateTime, nullable=False),
    Column("lag_seconds", Float, nullable=False),
)


def beat(tx: Transaction, node: str, *, at: datetime, lag_seconds: float) -> None:
    """Record a heartbeat of `node` at `at` (wall clock), and the lag in seconds of the latest step that it took."""
    insert_or_update(tx, heartbeat, {"node": node, "ticked_at": at, "lag_seconds": lag_seconds})


def forget_nodes(tx: Transaction, before: datetime) -> None:
    """Delete the heartbeats of processes whose last heartbeat was before `before`."""
    tx.connection.execute(delete(heartbeat).where(heartbeat.c.ticked_at < before))


def find_beats(tx: Transaction) -> Sequence[RowMapping]:
    """The last heartbeat of every process, latest first."""
    return tx.connection.execute(select(heartbeat).order_by(heartbeat.c.ticked_at.desc())).mappings().all()
