"""Connections: how the engine of each database is opened, and which settings every connection gets."""

import os
import select
import socket
import time
from functools import partial
from typing import Any

import psycopg
from pydantic_core import from_json
from sqlalchemy import Connection, create_engine, event
from sqlalchemy import Engine as DatabaseEngine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import InvalidatePoolError

BEGIN_MODE = "complaints_begin"  # the execution option that says how SQLite begins a transaction
_RESTED_SECONDS = 5.0


_POSTGRES_SETTINGS = {
    "timezone": "UTC",
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "5s",
    # Starting helpers takes longer than a page does, and they would take the processors of others.
    "max_parallel_workers_per_gather": "0",
    # A plan made while a table is small is kept with its statement, and would read the whole of it when it has
    # grown; every question of ours has an index. Up to version 17 such a scan, where it is the only way, is priced
    # beyond every limit, and statements of milliseconds would be compiled.
    "enable_seqscan": "off",
    "jit": "off",
    # How the server notices that we are cut off; the client's own side of it is below.
    "tcp_keepalives_idle": "3",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "8000",
}


_POSTGRES_KEEPALIVE = {
    "keepalives_idle": 3,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
    "connect_timeout": 5,
}


class _StepwiseCursor(psycopg.Cursor[Any]):
    """Takes many rows statement by statement.

    The driver's own way, a pipeline, leaves the server waiting for messages without a timeout: a process that
    is frozen in it would keep its locks for good.
    """

    _total: int | None = None

    def executemany(self, query: Any, params_seq: Any, *, returning: bool = False) -> None:
        """As psycopg's, without results: nobody here asks for them."""
        if returning:
            raise psycopg.NotSupportedError("rows of many statements are not kept")
        self._total = 0
        for parameters in params_seq:
            self.execute(query, parameters, prepare=True)
            self._total += max(0, super().rowcount)

    @property
    def rowcount(self) -> int:
        """How many rows the statement, or all of `executemany` together, touched."""
        return super().rowcount if self._total is None else self._total


def _node() -> str:
    """What `pg_stat_activity` shows of this process; the server keeps 63 bytes."""
    return f"complaints {os.getpid()}@{socket.gethostname()}"[:63]


def open_engine(url: str | URL, *, pool_size: int = 10, pool_seconds: float = 10) -> DatabaseEngine:
    """An engine for SQLite or PostgreSQL with the settings every connection of ours has.

    On PostgreSQL it has at most twice `pool_size` connections; who gets none within `pool_seconds` gets
    Unavailable.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    ours = " ".join(f"-c {name}={value}" for name, value in _POSTGRES_SETTINGS.items())
    # What the URL asks for goes before ours, but for the zone: instants are read as the server tells them.
    options = f"{ours} {parsed.query.get('options', '')} -c timezone=UTC"
    parsed = parsed.difference_update_query(["options"])
    arguments: dict[str, Any] = {"options": options, "application_name": _node(), **_POSTGRES_KEEPALIVE}
    arguments = {k: v for k, v in arguments.items() if k not in parsed.query}
    engine = create_engine(
        parsed, pool_size=pool_size, max_overflow=pool_size, pool_timeout=pool_seconds,
        pool_use_lifo=True,  # so that few connections do the work, with their statements prepared
        connect_args={**arguments, "cursor_factory": _StepwiseCursor, "prepare_threshold": 2},
        json_deserializer=from_json,
    )  # fmt: skip
    # Rows are inserted by one statement, which is also faster than one by one.
    engine.dialect.use_insertmanyvalues_wo_returning = True
    event.listen(engine, "checkin", _rest)
    event.listen(engine, "checkout", partial(_wake, engine))
    return engine


def _rest(_connection: Any, record: Any) -> None:
    record.info["rested_at"] = time.monotonic()


def _wake(engine: DatabaseEngine, connection: Any, record: Any, _proxy: object) -> None:
    """Ask a connection whether it is alive, as the pool's own `pre_ping`, but only where there is reason to.

    One that its server ended has something to be read; one cut off silently shows it when it has long been idle.
    """
    rested_at = record.info.get("rested_at")
    if rested_at is None:  # it was just made
        return
    try:
        if time.monotonic() - rested_at > _RESTED_SECONDS or _has_news(connection.fileno()):
            engine.dialect.do_ping(connection)
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def _has_news(descriptor: int) -> bool:
    """Whether there is something to be read, or an end."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _open_sqlite(url: URL) -> DatabaseEngine:
    engine = create_engine(
        url, pool_size=20, max_overflow=20, connect_args={"timeout": 30}, json_deserializer=from_json
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin by itself, and too late for a write lock
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN_MODE, "BEGIN"))
