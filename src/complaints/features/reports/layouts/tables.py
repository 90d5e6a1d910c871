"""The table of layouts that operators put in beside the shipped ones."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, Column, String, Table, delete, select

from complaints.features.reports.publishing.tables import metadata
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime
from complaints.storage.database.upsert import insert_or_update

report_layout = Table(
    "report_layout",
    metadata,
    Column("code", String(100), primary_key=True),
    Column("document", JSON, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", String(210), nullable=False),
)
c = report_layout.c


def find_layouts(tx: Transaction) -> dict[str, Any]:
    """The documents of all layouts, by code."""
    statement = select(c.code, c.document).order_by(c.code)
    return {row.code: row.document for row in tx.connection.execute(statement)}


def write_layout(tx: Transaction, code: str, document: Mapping[str, Any], *, actor: str) -> None:
    """Write a layout, in place of the one with the same code."""
    values = {"code": code, "document": dict(document), "updated_at": tx.now, "updated_by": actor}
    insert_or_update(tx, report_layout, values)


def delete_layout(tx: Transaction, code: str) -> bool:
    """Delete a layout; False if there is none."""
    return tx.connection.execute(delete(report_layout).where(c.code == code)).rowcount == 1
