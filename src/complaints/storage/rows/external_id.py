"""The names of complaints in other systems. A primary key gives each name of a system to one complaint.

The table repeats the members `external_id` and `external_ids` of complaints. Complaints of before the table have their
first external id in their own row alone, where a unique key guards it.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, ForeignKey, String, Table, delete, select, tuple_, union_all

from complaints.storage.database.bulk import Inserts
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import metadata
from complaints.storage.rows.complaint import complaint

complaint_external_id = Table(
    "complaint_external_id",
    metadata,
    # `external_id` comes first, because lists find complaints by it alone.
    Column("external_id", String(200), primary_key=True),
    Column("system", String(200), primary_key=True),
    Column("complaint_id", ForeignKey("complaint.id"), nullable=False),
    sqlite_with_rowid=False,
)
x, c = complaint_external_id.c, complaint.c


def insert_ids(inserts: Inserts, named: Collection[tuple[UUID, str, str]]) -> None:
    """Insert external ids: each with its complaint and its system. A name that is taken raises RaceLost."""
    rows = [{"external_id": name, "system": system, "complaint_id": i} for i, system, name in named]
    inserts.add(complaint_external_id, rows)


def delete_ids(tx: Transaction, named: Collection[tuple[str, str]]) -> None:
    """Delete external ids; `named` are pairs of system and external id."""
    if named:
        tx.connection.execute(
            delete(complaint_external_id).where(tuple_(x.external_id, x.system).in_(_swap(named)))
        )


def find_holders(tx: Transaction, named: Collection[tuple[str, str]]) -> dict[tuple[str, str], UUID]:
    """The complaints that have these external ids: pairs of system and external id, with the id of the complaint."""
    if not named:
        return {}
    pairs = _swap(named)
    statement = union_all(
        select(x.system, x.external_id, x.complaint_id).where(tuple_(x.external_id, x.system).in_(pairs)),
        select(c.source, c.external_id, c.id).where(tuple_(c.external_id, c.source).in_(pairs)),
    )
    return {(system, name): holder for system, name, holder in tx.connection.execute(statement)}


def find_rows(tx: Transaction, named: Collection[tuple[str, str]]) -> list[tuple[str, str, UUID]]:
    """The rows of these external ids: system, external id, and the id of the complaint."""
    statement = select(x.system, x.external_id, x.complaint_id)
    return list(tx.connection.execute(statement.where(tuple_(x.external_id, x.system).in_(_swap(named)))))


def _swap(pairs: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, system) for system, name in pairs]


def has_external_id(name: str) -> ColumnElement[bool]:
    """The condition that a complaint has this external id in any system."""
    known: Any = union_all(
        select(x.complaint_id).where(x.external_id == name), select(c.id).where(c.external_id == name)
    )
    return c.id.in_(known)
