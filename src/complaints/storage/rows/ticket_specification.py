"""What a trouble ticket specification of TMF621 has and its category has not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, ForeignKey, RowMapping, Table, select, update

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata
from complaints.storage.database.upsert import insert_or_update

ticket_specification = Table(
    "ticket_specification",
    metadata,
    Column("category", ForeignKey("category.code"), primary_key=True),
    Column("members", JSON, nullable=False),
    Column("is_deleted", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
"""`members` are those of version 5, as callers sent them. `is_deleted`: the category is retired, and not
shown there.
"""
t = ticket_specification.c


@dataclass(frozen=True, slots=True)
class SpecificationRow:
    """The row of a category. Its members are in the words of TMF621; the instants are in UTC."""

    members: Mapping[str, Any]
    is_deleted: bool
    created_at: datetime
    updated_at: datetime


def load_rows(tx: Transaction) -> dict[str, SpecificationRow]:
    """Every row, by the code of its category."""
    found = tx.connection.execute(select(ticket_specification)).mappings()
    return {row["category"]: _read(row) for row in found}


def save_row(tx: Transaction, code: str, row: SpecificationRow) -> None:
    """Write the row of a category, in place of the row that it has."""
    values = {name: getattr(row, name) for name in row.__slots__}
    insert_or_update(tx, ticket_specification, {"category": code, **values, "members": dict(row.members)})


def restore_row(tx: Transaction, code: str) -> bool:
    """Let a deleted specification be one again; False if the category has no deleted specification."""
    deleted = (t.category == code) & t.is_deleted
    statement = update(ticket_specification).where(deleted).values(is_deleted=False, updated_at=tx.now)
    return tx.connection.execute(statement).rowcount == 1


def _read(row: RowMapping) -> SpecificationRow:
    return SpecificationRow(**{name: row[name] for name in SpecificationRow.__slots__})
