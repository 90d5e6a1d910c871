"""The last heartbeat of each process. Readiness is judged by it in any process, and migrations look at it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    RowMapping,
    String,
    Table,
    delete,
    inspect,
    literal,
    select,
    true,
)

from complaints.storage.database import migrate
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata
from complaints.storage.database.upsert import insert_or_update

_BEFORE_REVISIONS = "0006"  # the program before processes wrote their revision

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("node", String(200), primary_key=True),
    Column("ticked_at", UtcDateTime, nullable=False),
    Column("lag_seconds", Float, nullable=False),
    Column("revision", String(32), nullable=False, server_default=_BEFORE_REVISIONS),
    Column("sweeps", Boolean, nullable=False, server_default=true()),
)


def beat(tx: Transaction, node: str, *, at: datetime, lag_seconds: float = 0.0, sweeps: bool = True) -> None:
    """Record a heartbeat of `node` at `at` (wall clock), and the lag in seconds of the latest step that it took.

    `sweeps` is False for a process that only serves the API.
    """
    row = {"node": node, "ticked_at": at, "lag_seconds": lag_seconds, "sweeps": sweeps}
    insert_or_update(tx, heartbeat, {**row, "revision": migrate.head()})


def forget_node(tx: Transaction, node: str) -> None:
    """Delete the heartbeat of a process that ends."""
    tx.connection.execute(delete(heartbeat).where(heartbeat.c.node == node))


def forget_nodes(tx: Transaction, before: datetime) -> None:
    """Delete the heartbeats of processes whose last heartbeat was before `before`."""
    tx.connection.execute(delete(heartbeat).where(heartbeat.c.ticked_at < before))


def find_beats(tx: Transaction) -> Sequence[RowMapping]:
    """The last heartbeat of every process that sweeps, latest first."""
    columns = (heartbeat.c.node, heartbeat.c.ticked_at, heartbeat.c.lag_seconds)
    statement = select(*columns).where(heartbeat.c.sweeps).order_by(heartbeat.c.ticked_at.desc())
    return tx.connection.execute(statement).mappings().all()


def find_programs(connection: Connection, since: datetime, until: datetime) -> Mapping[str, str]:
    """The program of each process with a heartbeat between two instants, by node. Older schemas have it too."""
    if not connection.dialect.has_table(connection, heartbeat.name):
        return {}
    known = {column["name"] for column in inspect(connection).get_columns(heartbeat.name)}
    revision = heartbeat.c.revision if "revision" in known else literal(_BEFORE_REVISIONS)
    statement = select(heartbeat.c.node, revision).where(heartbeat.c.ticked_at.between(since, until))
    return {row.node: row[1] for row in connection.execute(statement)}
