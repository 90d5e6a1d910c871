"""Connections: how the engine of each database is opened, and which settings every connection gets."""

import os
import select
import socket
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from pydantic_core import from_json
from sqlalchemy import Connection, create_engine, event
from sqlalchemy import Engine as DatabaseEngine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import InvalidatePoolError

BEGIN_MODE = "complaints_begin"  # execution option: the statement by which SQLite begins a transaction
_TRUSTED_IDLE_SECONDS = 5.0


_POSTGRES_SETTINGS = {
    "timezone": "UTC",
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "5s",
    # Starting parallel workers takes longer than reading a page, and they take processors from other requests.
    "max_parallel_workers_per_gather": "0",
    # A prepared statement keeps its plan. A plan made while a table is small would scan the whole table after it
    # has grown, although every query has an index. Up to PostgreSQL 17, a scan that cannot be avoided then gets a
    # huge cost, and JIT would compile statements that take milliseconds. So JIT is off too.
    "enable_seqscan": "off",
    "jit": "off",
    # These let the server notice a lost client. `_POSTGRES_KEEPALIVE` lets the client notice a lost server.
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
    """Runs `executemany` statement by statement.

    psycopg uses a pipeline, in which the server waits for messages without a timeout. If the process froze, the
    server would keep its locks for ever.
    """

    _total: int | None = None

    def executemany(self, query: Any, params_seq: Any, *, returning: bool = False) -> None:
        """Run `query` once for each member of `params_seq`. Results are not kept: no caller asks for them."""
        if returning:
            raise psycopg.NotSupportedError("rows of many statements are not kept")
        self._total = 0
        for parameters in params_seq:
            self.execute(query, parameters, prepare=True)
            self._total += max(0, super().rowcount)

    @property
    def rowcount(self) -> int:
        """The number of rows that the statement touched, or that `executemany` touched in all."""
        return super().rowcount if self._total is None else self._total


def _node() -> str:
    """The name of this process in `pg_stat_activity`. The server keeps 63 bytes."""
    return f"complaints {os.getpid()}@{socket.gethostname()}"[:63]


def open_engine(url: str | URL, *, pool_size: int = 10, pool_seconds: float = 10) -> DatabaseEngine:
    """A SQLAlchemy engine for SQLite or PostgreSQL, with our settings on every connection.

    On PostgreSQL it opens at most twice `pool_size` connections. A caller who gets none within `pool_seconds`
    gets Unavailable.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    ours = " ".join(f"-c {name}={value}" for name, value in _POSTGRES_SETTINGS.items())
    # Options of the URL win over ours, except the time zone: psycopg returns instants in the zone of the server.
    options = f"{ours} {parsed.query.get('options', '')} -c timezone=UTC"
    parsed = parsed.difference_update_query(["options"])
    arguments: dict[str, Any] = {"options": options, "application_name": _node(), **_POSTGRES_KEEPALIVE}
    arguments = {k: v for k, v in arguments.items() if k not in parsed.query}
    engine = create_engine(
        parsed, pool_size=pool_size, max_overflow=pool_size, pool_timeout=pool_seconds,
        pool_use_lifo=True,  # few connections do the work, so their statements stay prepared
        connect_args={**arguments, "cursor_factory": _StepwiseCursor, "prepare_threshold": 2},
        json_deserializer=from_json,
    )  # fmt: skip
    # Insert many rows by one statement; that is faster than row by row.
    engine.dialect.use_insertmanyvalues_wo_returning = True
    event.listen(engine, "checkin", _note_return)
    event.listen(engine, "checkout", partial(_check_alive, engine))
    return engine


def _note_return(_connection: Any, record: Any) -> None:
    record.info["returned_at"] = time.monotonic()


def _check_alive(engine: DatabaseEngine, connection: Any, record: Any, _proxy: object) -> None:
    """Ping a connection that leaves the pool, if it may be dead. Raises InvalidatePoolError if it is.

    A ping for every request (`pre_ping`) would cost a round trip. If the server closed a connection, its socket
    has data waiting. If the network failed, nothing shows, so a connection that was idle for long is pinged too.
    """
    returned_at = record.info.get("returned_at")
    if returned_at is None:  # a new connection
        return
    try:
        if time.monotonic() - returned_at > _TRUSTED_IDLE_SECONDS or _is_readable(connection.fileno()):
            engine.dialect.do_ping(connection)
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def _is_readable(descriptor: int) -> bool:
    """True if the socket has data waiting or was closed by the server."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def keep_private(url: str) -> None:
    """Make the files of the SQLite database at `url` readable for their user only, if they exist.

    New files are so by the umask of the process (`serving.process`).
    """
    path = make_url(url).database
    if not path or path == ":memory:":
        return
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(path + suffix).chmod(0o600)


def _open_sqlite(url: URL) -> DatabaseEngine:
    engine = create_engine(
        url, pool_size=20, max_overflow=20, connect_args={"timeout": 30}, json_deserializer=from_json
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # else the driver begins transactions, too late for a write lock
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN_MODE, "BEGIN"))
