"""Inserts that meet an existing row: the one place that knows both dialects of INSERT … ON CONFLICT."""

from typing import Any

from sqlalchemy import Table, literal
from sqlalchemy.dialects import postgresql, sqlite

from complaints.storage.database.transactions import Transaction


def insert_if_absent(tx: Transaction, table: Table, values: dict[str, Any]) -> bool:
    """Insert a row; False if a row with one of its unique keys exists.

    On PostgreSQL the statement waits for another transaction that is inserting the same key.
    """
    statement = _insert(tx, table).values(values).on_conflict_do_nothing()
    returned = statement.returning(literal(1))
    return tx.connection.execute(returned).first() is not None


def insert_or_update(tx: Transaction, table: Table, values: dict[str, Any]) -> None:
    """Insert a row, or change the row with the same primary key to `values`."""
    keys = [column.name for column in table.primary_key]
    statement = _insert(tx, table).values(values)
    changed = {name: statement.excluded[name] for name in values if name not in keys}
    tx.connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def _insert(tx: Transaction, table: Table) -> postgresql.Insert | sqlite.Insert:
    if tx.connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
