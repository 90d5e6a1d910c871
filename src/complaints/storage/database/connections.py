"""Connections: how the engine of each database is opened, and which settings every connection gets."""

import os
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, Uuid, create_engine, event
from sqlalchemy import Engine as DatabaseEngine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError

from complaints.storage.database.types import TextUuid

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


_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")


DatabaseUrl = URL


class BadUrl(ValueError):
    """The URL names no database that this program can use. The message quotes nothing of the URL but its scheme."""


class Unreachable(Exception):
    """The database does not answer. The message says why, in one line without passwords."""


def parse_url(url: str) -> URL:
    """The parsed URL of a database. Raises BadUrl."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise BadUrl(
            "is not a URL such as postgresql://user:password@host/name or sqlite:///file.db"
        ) from None
    if parsed.drivername not in _DRIVERS:
        raise BadUrl(f"must begin with postgresql:// or sqlite:///, not with {parsed.drivername}://")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise BadUrl("must name a file, as in sqlite:////var/lib/complaints/complaints.db")
    return parsed


def describe_url(url: URL) -> str:
    """The database in words for a person: a path, or a URL without password and options."""
    if url.get_backend_name() == "sqlite":
        return str(Path(url.database or "").absolute())
    hosts = url.query.get("host", ())
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
    named = hosts if isinstance(hosts, str) else ",".join(hosts)
    return str(plain) + (f" at {named}" if named else "")


def check_reachable(engine: DatabaseEngine) -> None:
    """Raise Unreachable unless the database answers a question."""
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(_QUESTIONS[connection.dialect.name]).all()
    except DBAPIError as error:
        raise Unreachable(_first_line(error.orig)) from error
    except engine.dialect.loaded_dbapi.Error as error:  # raised while our settings are made
        raise Unreachable(_first_line(error)) from error


_QUESTIONS = {"sqlite": "SELECT count(*) FROM sqlite_master", "postgresql": "SELECT 1"}


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0]


def watch_pool(engine: DatabaseEngine, note: Callable[[int], None]) -> None:
    """Call `note` with the number of connections in use, each time it changes."""
    pool: Any = engine.pool
    event.listen(engine, "checkout", lambda *_: note(pool.checkedout()))
    event.listen(
        engine, "checkin", lambda *_: note(max(pool.checkedout() - 1, 0))
    )  # it comes back after this


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
    # An embedded installation never loads the driver.
    from complaints.storage.database.stepwise_cursor import StepwiseCursor

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
        connect_args={**arguments, "cursor_factory": StepwiseCursor, "prepare_threshold": 2},
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
    except engine.dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


def _is_readable(descriptor: int) -> bool:
    """True if the socket has data waiting or was closed by the server."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def keep_private(url: str) -> None:
    """Make the files of the SQLite database at `url` readable for their user only, if they exist and are ours.

    New files are so by the umask of the process (`serving.process`).
    """
    path = make_url(url).database
    if not path or path == ":memory:":
        return
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError, PermissionError):
            Path(path + suffix).chmod(0o600)


def _open_sqlite(url: URL) -> DatabaseEngine:
    engine = create_engine(
        url, pool_size=20, max_overflow=20, connect_args={"timeout": 30}, json_deserializer=from_json
    )
    engine.dialect.colspecs = {**engine.dialect.colspecs, Uuid: TextUuid}
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
