"""Millions of rows: secondary indexes and foreign keys are dropped before, and made again after."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy import Connection, Engine

_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename = ANY(%s)
      AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""
_FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])
"""
_SETTINGS = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "maintenance_work_mem": "'512MB'",
}
Rows = Sequence[tuple[Any, ...]]


class Writer(Protocol):
    """Writes rows of one table, with the named columns."""

    def __call__(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        """Write them."""


@contextmanager
def filling(engine: Engine, tables: Sequence[str]) -> Iterator[Writer]:
    """A writer for `tables`. After the block the database is indexed, vacuumed and analysed."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            yield from _sqlite(connection, tables)
            return
        yield from _postgres(connection, tables)
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql("VACUUM (ANALYZE)")


def _postgres(connection: Connection, tables: Sequence[str]) -> Iterator[Writer]:
    """Fill in one transaction. A fill that fails leaves no row, and every index in its place."""
    cursor: Any = connection.connection.cursor()
    for name, value in _SETTINGS.items():
        cursor.execute(f"SET LOCAL {name} = {value}")
    indexes = cursor.execute(_INDEXES, [list(tables)]).fetchall()
    keys = cursor.execute(_FOREIGN_KEYS, [list(tables)]).fetchall()
    for table, name, _ in keys:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, _ in indexes:
        cursor.execute(f'DROP INDEX "{name}"')

    def write(table: str, columns: Sequence[str], rows: Rows) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    yield write
    for _, definition in indexes:
        cursor.execute(definition)
    for table, name, definition in keys:
        cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    connection.connection.commit()


def _sqlite(connection: Connection, tables: Sequence[str]) -> Iterator[Writer]:
    """Fill in many transactions that do not wait for the disk. Throw the file away if a fill fails."""
    driver: Any = connection.connection.driver_connection
    for setting in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-400000", "temp_store=MEMORY"):
        driver.execute(f"PRAGMA {setting}")
    marks = ", ".join("?" for _ in tables)
    indexes = driver.execute(
        f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({marks})",
        list(tables),
    ).fetchall()
    for name, _ in indexes:
        driver.execute(f'DROP INDEX "{name}"')

    def write(table: str, columns: Sequence[str], rows: Rows) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        places = ", ".join("?" for _ in columns)
        driver.execute("BEGIN IMMEDIATE")
        driver.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)
        driver.execute("COMMIT")

    yield write
    for _, definition in indexes:
        driver.execute(definition)
    driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.invalidate()  # its settings are for this fill only
