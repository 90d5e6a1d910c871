"""Many rows in one statement, for intake, imports and the sweep.

PostgreSQL gets the rows as one JSON value. The statement is short and stays prepared; one with VALUES has
thousands of parameters and is parsed each time (measured: four times the work). SQLite gets the rows through
`executemany` of its driver. All values pass through the types of their columns.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Table, TypeDecorator

from complaints.domain.json_text import encode
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime

Row = dict[str, Any]
_KEY = "key_"


class Inserts:
    """Rows for any number of tables, inserted together. On PostgreSQL they are one statement.

    Foreign keys between these tables are checked when all rows are written.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._postgresql = tx.connection.dialect.name == "postgresql"
        self._lock: int | None = None
        self._statements: list[tuple[str, Any]] = []

    def add(self, table: Table, rows: Sequence[Row], *, lock: int | None = None) -> None:
        """Insert rows in the given order. All rows have the same members.

        On PostgreSQL the advisory lock `lock` is taken before any row is inserted or numbered, and held until commit.
        """
        if not rows:
            return
        names = tuple(rows[0])
        listed = ", ".join(names)
        into = f"INSERT INTO {table.name} ({listed})"
        if self._postgresql:
            self._lock = lock if self._lock is None else self._lock
            held = "held, " if lock is not None else ""
            source = f"SELECT {listed} FROM {held}json_populate_recordset(NULL::{table.name}, %s)"  # noqa: S608 - names from our tables
            self.add_statement(f"{into} {source}", as_json(self._tx.connection, table, rows))
        else:
            marks = ", ".join("?" * len(names))
            self.add_statement(f"{into} VALUES ({marks})", _tuples(self._tx.connection, table, names, rows))

    def add_statement(self, statement: str, values: Any) -> None:
        """Add a statement in SQL. Its `values` are one JSON value on PostgreSQL, and tuples on SQLite."""
        self._statements.append((statement, values))

    def write(self) -> None:
        """Insert all rows."""
        connection = self._tx.connection
        if self._postgresql and self._statements:
            *others, last = [statement for statement, _ in self._statements]
            parts = [f"part_{n} AS ({statement})" for n, statement in enumerate(others)]
            if self._lock is not None:
                parts.insert(0, f"held AS MATERIALIZED (SELECT pg_advisory_xact_lock({self._lock}))")
            statement = f"WITH {', '.join(parts)} {last}" if parts else last
            connection.exec_driver_sql(statement, tuple(values for _, values in self._statements))
        elif not self._postgresql:
            for statement, values in self._statements:
                connection.exec_driver_sql(statement, values)
        self._statements = []


def insert_last(tx: Transaction, table: Table, rows: Sequence[Row], *, lock: int | None = None) -> None:
    """Insert rows just before commit, together with all other rows that were postponed.

    Rows of one table are inserted in the order in which they were given.
    """
    tx.before_commit(_insert_together, *((table, lock, row) for row in rows))


def _insert_together(tx: Transaction, postponed: list[tuple[Table, int | None, Row]]) -> None:
    rows: dict[tuple[Table, int | None], list[Row]] = defaultdict(list)
    for table, lock, row in postponed:
        rows[table, lock].append(row)
    inserts = Inserts(tx)
    for (table, lock), of_table in rows.items():
        inserts.add(table, of_table, lock=lock)
    inserts.write()


def update_rows(tx: Transaction, table: Table, rows: Sequence[Row]) -> int:
    """Update rows, and return how many were found. All rows have the same members.

    The members `key_<column>` find a row; the other members are its new values.
    """
    if not rows:
        return 0
    names = tuple(rows[0])
    if tx.connection.dialect.name == "postgresql":
        statement = _update_from_json(table, names, tx.connection.dialect)
        return tx.connection.exec_driver_sql(statement, (as_json(tx.connection, table, rows),)).rowcount
    keys = tuple(name for name in names if name.startswith(_KEY))
    changed = tuple(name for name in names if name not in keys)
    statement = (
        f"UPDATE {table.name} SET {', '.join(f'{name} = ?' for name in changed)}"  # noqa: S608 - names from our tables
        f" WHERE {' AND '.join(f'{_column_name(key)} = ?' for key in keys)}"
    )
    return tx.connection.exec_driver_sql(
        statement, _tuples(tx.connection, table, (*changed, *keys), rows)
    ).rowcount


@lru_cache(maxsize=256)
def _update_from_json(table: Table, names: tuple[str, ...], dialect: Dialect) -> str:
    typed = ", ".join(f"{name} {_column(table, name).type.compile(dialect)}" for name in names)
    changed = ", ".join(f"{name} = new.{name}" for name in names if not name.startswith(_KEY))
    found = " AND ".join(
        f"{table.name}.{_column_name(name)} = new.{name}" for name in names if name.startswith(_KEY)
    )
    return f"UPDATE {table.name} SET {changed} FROM json_to_recordset(%s) AS new({typed}) WHERE {found}"  # noqa: S608


def _column_name(name: str) -> str:
    return name.removeprefix(_KEY)


def _column(table: Table, name: str) -> Column[Any]:
    return table.columns[_column_name(name)]


# PostgreSQL: rows as JSON ------------------------------------------------------------------------------------------


def as_json(connection: Connection, table: Table, rows: Sequence[Row]) -> str:
    """The rows of `table` as the JSON from which PostgreSQL makes rows."""
    if converters := _converters(table, tuple(rows[0]), connection.dialect):
        rows = [row | {name: convert(row[name]) for name, convert in converters} for row in rows]
    return encode(rows).decode()


@lru_cache(maxsize=256)
def _converters(
    table: Table, names: tuple[str, ...], dialect: Dialect
) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """Members whose column types convert values in Python. Instants need no converter: the encoder spells them."""
    kinds = ((name, _column(table, name).type) for name in names)
    return tuple(
        (name, _binding(kind, dialect))
        for name, kind in kinds
        if isinstance(kind, TypeDecorator) and not isinstance(kind, UtcDateTime)
    )


def _binding(kind: TypeDecorator[Any], dialect: Dialect) -> Callable[[Any], Any]:
    return lambda value: kind.process_bind_param(value, dialect)


# SQLite: rows as tuples --------------------------------------------------------------------------------------------


def _tuples(
    connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[Row]
) -> list[tuple[Any, ...]]:
    spelled = []
    for name, convert in zip(names, _processors(table, names, connection.dialect), strict=True):
        values = [row[name] for row in rows]
        spelled.append(values if convert is None else list(map(convert, values)))
    return list(zip(*spelled, strict=True))


@lru_cache(maxsize=256)
def _processors(
    table: Table, names: tuple[str, ...], dialect: Dialect
) -> tuple[Callable[[Any], Any] | None, ...]:
    return tuple(_column(table, name).type.dialect_impl(dialect).bind_processor(dialect) for name in names)
