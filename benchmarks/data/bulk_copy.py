"""Millions of rows: secondary indexes and foreign keys are dropped before, and made again after."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy import Engine

_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename = ANY(%s)
      AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""
_FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])
"""
_SETTINGS = (
    "SET statement_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
    "SET maintenance_work_mem = '512MB'",
    "SET synchronous_commit = off",
)
_PRAGMAS = ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-400000", "temp_store=MEMORY")
# In a text to COPY: it stands between two values, and for no value. Neither occurs in a text of the data.
_BETWEEN, _NOTHING = "\x1f", "\x02"
_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"), (_BETWEEN, "\t"))
Rows = Sequence[tuple[Any, ...]]


class Writer(Protocol):
    """Writes rows of one table, with the named columns."""

    def __call__(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        """Write them."""


@contextmanager
def without_indexes(engine: Engine, tables: Sequence[str], *, connections: int) -> Iterator[None]:
    """Drop the secondary indexes and foreign keys of `tables` for the block. Throw the database away if it fails.

    After the block the database is indexed over several connections, vacuumed and analysed.
    """
    on_sqlite = engine.dialect.name == "sqlite"
    drops, indexes, keys = (_parts_in_sqlite if on_sqlite else _parts_in_postgres)(engine, tables)
    for statement in drops:
        _execute(engine, statement)
    yield
    with ThreadPoolExecutor(1 if on_sqlite else connections) as pool:
        list(pool.map(lambda statement: _execute(engine, statement), indexes))
    for statement in keys:
        _execute(engine, statement)
    _execute(engine, "PRAGMA wal_checkpoint(TRUNCATE)" if on_sqlite else "VACUUM (ANALYZE)")


Parts = tuple[list[str], list[str], list[str]]


def _parts_in_postgres(engine: Engine, tables: Sequence[str]) -> Parts:
    """The statements that drop indexes and keys, that make the indexes, and that make the keys."""
    with _driver_cursor(engine) as cursor:
        indexes = cursor.execute(_INDEXES, [list(tables)]).fetchall()
        keys = cursor.execute(_FOREIGN_KEYS, [list(tables)]).fetchall()
    drops = [f'ALTER TABLE {table} DROP CONSTRAINT "{name}"' for table, name, _ in keys]
    drops += [f'DROP INDEX "{name}"' for name, _ in indexes]
    made = [f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}' for table, name, definition in keys]
    return drops, [definition for _, definition in indexes], made


def _parts_in_sqlite(engine: Engine, tables: Sequence[str]) -> Parts:
    marks = ", ".join("?" for _ in tables)
    question = f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({marks})"
    with _driver_cursor(engine) as cursor:
        indexes = cursor.execute(question, list(tables)).fetchall()
    return [f'DROP INDEX "{name}"' for name, _ in indexes], [definition for _, definition in indexes], []


def _execute(engine: Engine, statement: str) -> None:
    with _driver_cursor(engine) as cursor:
        cursor.execute(statement)


@contextmanager
def _driver_cursor(engine: Engine) -> Iterator[Any]:
    """A cursor of the driver, without transactions, set for a fill. Its connection ends with the block."""
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if engine.dialect.name == "sqlite":
            settings: Sequence[str] = [f"PRAGMA {setting}" for setting in _PRAGMAS]
        else:
            settings, driver.autocommit = _SETTINGS, True
        cursor = driver.cursor()
        for setting in settings:
            cursor.execute(setting)
        try:
            yield cursor
        finally:
            connection.invalidate()


@contextmanager
def writing(engine: Engine) -> Iterator[Writer]:
    """A writer with a connection of its own. It does not wait for the disk."""
    make: Callable[[Any], Writer] = _sqlite_writer if engine.dialect.name == "sqlite" else _postgres_writer
    with _driver_cursor(engine) as cursor:
        yield make(cursor)


def _postgres_writer(cursor: Any) -> Writer:
    def write(table: str, columns: Sequence[str], rows: Rows) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN (NULL '{_NOTHING}')") as copy:
            copy.write("".join(map(_line, rows)))

    return write


def _line(row: tuple[Any, ...]) -> str:
    """A row in the text format of COPY. The driver's own way takes three times as long."""
    line = _BETWEEN.join([_NOTHING if value is None else str(value) for value in row])
    for character, escaped in _ESCAPES:
        line = line.replace(character, escaped)
    return line + "\n"


def _sqlite_writer(cursor: Any) -> Writer:
    def write(table: str, columns: Sequence[str], rows: Rows) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        places = ", ".join("?" for _ in columns)
        cursor.execute("BEGIN IMMEDIATE")
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)
        cursor.execute("COMMIT")

    return write
