"""Many rows in one statement, for intake, imports and the sweep.

PostgreSQL gets the rows as one JSON value. The statement is short and stays prepared; one with VALUES has
thousands of parameters and is parsed each time (measured: four times the work). SQLite gets the rows through
`executemany` of its driver. All values pass through the types of their columns.

Packed rows are for very many at once. PostgreSQL gets them by COPY (measured: two and a half times as fast as JSON).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Table, TypeDecorator
from sqlalchemy.exc import DBAPIError

from complaints.domain.json_text import encode
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime

Row = dict[str, Any]
_KEY = "key_"


_Statement = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class _Rows:
    """New rows of one table. All have the members `names`."""

    table: Table
    names: tuple[str, ...]
    rows: Sequence[Row]
    lock: int | None


class Inserts:
    """Rows for any number of tables, inserted together. On PostgreSQL they are one statement.

    Foreign keys between these tables are checked when all rows are written.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._parts: list[_Rows | _Statement] = []

    def add(self, table: Table, rows: Sequence[Row], *, lock: int | None = None) -> None:
        """Insert rows in the given order. All rows have the same members.

        On PostgreSQL the advisory lock `lock` is taken before the first of these rows is inserted or numbered, and
        held until commit. Rows with a lock are inserted after all others.
        """
        if rows:
            self._parts.append(_Rows(table, tuple(rows[0]), rows, lock))

    def add_statement(self, statement: str, values: Any) -> None:
        """Add a statement in SQL. Its `values` are one JSON value on PostgreSQL, and tuples on SQLite."""
        self._parts.append((statement, values))

    def write(self) -> None:
        """Insert all rows now."""
        _write(self._tx, self._parts)
        self._parts = []

    def postpone(self) -> None:
        """Insert all rows just before commit, together with all others that were postponed."""
        self._tx.before_commit(_write, *self._parts)
        self._parts = []


def _write(tx: Transaction, parts: Sequence[_Rows | _Statement]) -> None:
    connection, merged = tx.connection, _merge(parts)
    if connection.dialect.name != "postgresql":
        for part in merged:
            connection.exec_driver_sql(*_spell_for_sqlite(connection, part))
    elif merged:
        # PostgreSQL inserts the last part first, and the first part last.
        ordered = sorted(merged, key=lambda part: _lock_of(part) is None)
        statements = [_spell_for_postgresql(connection, part) for part in ordered]
        *others, (last, _) = statements
        named = [f"part_{n} AS ({statement})" for n, (statement, _) in enumerate(others)]
        if (lock := _lock_of(ordered[0])) is not None:
            named.insert(0, f"held AS MATERIALIZED (SELECT pg_advisory_xact_lock({lock}))")
        together = f"WITH {', '.join(named)} {last}" if named else last
        connection.exec_driver_sql(together, tuple(values for _, values in statements))


def _lock_of(part: _Rows | _Statement) -> int | None:
    return part.lock if isinstance(part, _Rows) else None


def _merge(parts: Sequence[_Rows | _Statement]) -> list[_Rows | _Statement]:
    """The parts in their order, but rows of one table together."""
    merged: dict[object, _Rows | _Statement] = {}
    for place, part in enumerate(parts):
        if isinstance(part, _Rows):
            key = (part.table.name, part.names, part.lock)
            known = merged.get(key)
            merged[key] = replace(known, rows=[*known.rows, *part.rows]) if isinstance(known, _Rows) else part
        else:
            merged[place] = part
    return list(merged.values())


def _spell_for_postgresql(connection: Connection, part: _Rows | _Statement) -> _Statement:
    if not isinstance(part, _Rows):
        return part
    held = "held, " if part.lock is not None else ""
    source = f"SELECT {', '.join(part.names)} FROM {held}json_populate_recordset(NULL::{part.table.name}, %s)"  # noqa: S608 - names from our tables
    return f"{_insert_into(part)} {source}", as_json(connection, part.table, part.rows)


def _spell_for_sqlite(connection: Connection, part: _Rows | _Statement) -> _Statement:
    if not isinstance(part, _Rows):
        return part
    marks = ", ".join("?" * len(part.names))
    return f"{_insert_into(part)} VALUES ({marks})", _tuples(connection, part.table, part.names, part.rows)


def _insert_into(part: _Rows) -> str:
    return f"INSERT INTO {part.table.name} ({', '.join(part.names)})"


def insert_last(tx: Transaction, table: Table, rows: Sequence[Row], *, lock: int | None = None) -> None:
    """Insert rows just before commit, together with all other rows that were postponed.

    Rows of one table are inserted in the order in which they were given.
    """
    inserts = Inserts(tx)
    inserts.add(table, rows, lock=lock)
    inserts.postpone()


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


# Packed rows ---------------------------------------------------------------------------------------------------------


_NOTHING = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
PackedRows = tuple[Any, ...]
"""Rows as the database takes them: lines of COPY for PostgreSQL, tuples for SQLite. Other processes can send them."""


def pack_rows(
    dialect: Dialect, table: Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> PackedRows:
    """Rows that have the values of the columns `names`, for `insert_packed`. No database is asked."""
    columns = []
    for values, convert in zip(zip(*rows, strict=True), _packers(table, names, dialect), strict=False):
        columns.append(values if convert is None else map(convert, values))
    packed = tuple(zip(*columns, strict=True))
    return tuple(map(_line, packed)) if dialect.name == "postgresql" else packed


def insert_packed(
    tx: Transaction, table: Table, names: tuple[str, ...], packed: Iterable[PackedRows]
) -> None:
    """Insert rows now. All were packed for this database with the same `names`."""
    rows = [row for some in packed for row in some]
    into, columns = table.name, ", ".join(names)
    if tx.connection.dialect.name != "postgresql":
        marks = ", ".join("?" * len(names))
        if rows:
            tx.connection.exec_driver_sql(f"INSERT INTO {into} ({columns}) VALUES ({marks})", rows)  # noqa: S608 - names from our tables
        return
    driver: Any = tx.connection.connection.driver_connection
    statement, dialect = f"COPY {into} ({columns}) FROM STDIN", tx.connection.dialect
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write("".join(rows))
    # SQLAlchemy does not see what the driver is asked directly, and the transaction translates its errors alone.
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(statement, None, error, dialect.loaded_dbapi.Error) from error


@lru_cache(maxsize=256)
def _packers(table: Table, names: tuple[str, ...], dialect: Dialect) -> Sequence[Callable[[Any], Any] | None]:
    if dialect.name != "postgresql":
        return _processors(table, names, dialect)
    converters = dict(_converters(table, names, dialect))
    return tuple(converters.get(name) for name in names)


def _line(row: tuple[Any, ...]) -> str:
    """A row in the text format of COPY. The driver's own way takes three times as long."""
    values = [_NOTHING if value is None else str(value) for value in row]
    line = "\t".join(values)
    # Hardly any value needs an escape, so the line is searched as a whole: each NULL has one backslash.
    if (
        line.count("\\") > values.count(_NOTHING)
        or line.count("\t") >= len(row)
        or "\n" in line
        or "\r" in line
    ):
        spelled = (_NOTHING if value is None else str(value).translate(_ESCAPES) for value in row)
        line = "\t".join(spelled)
    return line + "\n"
