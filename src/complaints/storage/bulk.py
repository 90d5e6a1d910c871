"""Many rows in one statement, whatever their number: what intake, imports and sweeps read and write with.

PostgreSQL takes the rows as one JSON value: a short statement that stays prepared, where rows spelled out as
VALUES make one of thousands of parameters that is parsed anew each time (measured: four times the work). SQLite
takes them through the driver's own loop. Values pass through the types of their columns as everywhere else.
"""

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    TypeDecorator,
    any_,
    bindparam,
)

from complaints.domain.json_text import encode
from complaints.storage.base import UtcDateTime
from complaints.storage.unit_of_work import Transaction

Row = dict[str, Any]
_KEY = "key_"


def among(tx: Transaction, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """The condition that `column` is one of `values`: on PostgreSQL one array, not a parameter for each."""
    if tx.connection.dialect.name == "postgresql":
        return column == any_(bindparam(None, list(values), ARRAY(column.type)))
    return column.in_(values)


def insert_rows(tx: Transaction, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows of the same members, in the given order."""
    if not rows:
        return
    names = tuple(rows[0])
    if tx.connection.dialect.name == "postgresql":
        listed = ", ".join(names)
        statement = (
            f"INSERT INTO {table.name} ({listed})"  # noqa: S608 - names of ours
            f" SELECT {listed} FROM json_populate_recordset(NULL::{table.name}, %s)"
        )
        tx.connection.exec_driver_sql(statement, (as_json(tx.connection, table, rows),))
        return
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - names of ours
    tx.connection.exec_driver_sql(statement, _tuples(tx.connection, table, names, rows))


def update_rows(tx: Transaction, table: Table, rows: Sequence[Row]) -> int:
    """Change rows found by their members `key_<column>` to their other members; how many were found.

    All have the same members.
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
        f"UPDATE {table.name} SET {', '.join(f'{name} = ?' for name in changed)}"  # noqa: S608 - names of ours
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
    """Rows of `table` as the JSON that PostgreSQL makes rows of."""
    if converters := _converters(table, tuple(rows[0]), connection.dialect):
        rows = [row | {name: convert(row[name]) for name, convert in converters} for row in rows]
    return encode(rows).decode()


@lru_cache(maxsize=256)
def _converters(
    table: Table, names: tuple[str, ...], dialect: Dialect
) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """Members whose types decide by themselves what is stored; instants are spelled by the encoder."""
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
