"""Rows of a SELECT for answers that show them as they are.

On PostgreSQL they stay as the driver gives them: its ids, instants and texts are what JSON needs. So no text becomes a
member of an enumeration, and no value passes through the types of SQLAlchemy.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select

from complaints.storage.database.transactions import Transaction


def rows_of(tx: Transaction, statement: Select[Any], ids: Collection[UUID]) -> Sequence[Sequence[Any]]:
    """The rows of a SELECT whose only parameter is `ids` (see `any_of`). A closed set has texts or its members."""
    if not ids:
        return []
    result = tx.connection.execute(statement, {"ids": ids})
    if tx.connection.dialect.name != "postgresql":  # SQLite's driver has texts in place of ids and instants
        return result.all()
    with result:
        rows: Sequence[Sequence[Any]] = result.cursor.fetchall()
    return rows
