"""Imports: the file as it came, how far it has been taken, and the rows that failed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    RowMapping,
    String,
    Table,
    Uuid,
    insert,
    select,
    update,
)

from complaints.storage.base import UtcDateTime, metadata
from complaints.storage.unit_of_work import Transaction

import_job = Table(
    "import_job",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("status", String(20), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("charset", String(40)),
    Column("options", JSON, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("source", String(200), nullable=False),
    Column("actor", String(210), nullable=False),
    Column("login", ForeignKey("user_account.login")),
    Column("content", LargeBinary, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    CheckConstraint("status IN ('running', 'completed')", name="status"),
    CheckConstraint("done = accepted + duplicates + failed AND done <= rows", name="adds_up"),
    CheckConstraint("(status = 'completed') = (finished_at IS NOT NULL)", name="finished_at"),
)
j = import_job.c
Index("ix_import_job__running", j.created_at, postgresql_where=j.status == "running", sqlite_where=j.status == "running")

import_error = Table(
    "import_error",
    metadata,
    Column("import_id", ForeignKey("import_job.id"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("errors", JSON, nullable=False),
)

_SHOWN = [column for column in j if column.name != "content"]


def insert_job(tx: Transaction, values: dict[str, Any]) -> None:
    """Write a new import."""
    tx.connection.execute(insert(import_job).values(values))


def find_job(tx: Transaction, import_id: UUID) -> RowMapping | None:
    """An import without its content."""
    return tx.connection.execute(select(*_SHOWN).where(j.id == import_id)).mappings().first()


def find_content(tx: Transaction, import_id: UUID) -> bytes:
    """The file of an import."""
    return tx.connection.execute(select(j.content).where(j.id == import_id)).scalar_one()


def claim_running(tx: Transaction, import_id: UUID | None = None) -> RowMapping | None:
    """Lock the oldest running import (or the one asked for, if it still runs) that no other process works on."""
    statement = select(*_SHOWN).where(j.status == "running").order_by(j.created_at, j.id).limit(1)
    if import_id is not None:
        statement = statement.where(j.id == import_id)
    return tx.connection.execute(statement.with_for_update(skip_locked=True)).mappings().first()


def record_progress(tx: Transaction, import_id: UUID, values: dict[str, Any]) -> None:
    """Write how far an import has come."""
    tx.connection.execute(update(import_job).where(j.id == import_id).values(values))


def insert_errors(tx: Transaction, import_id: UUID, errors: Sequence[tuple[int, list[dict[str, str]]]]) -> None:
    """Write what was wrong with rows."""
    if errors:
        rows = [{"import_id": import_id, "row": row, "errors": found} for row, found in errors]
        tx.connection.execute(insert(import_error), rows)


def list_errors(tx: Transaction, import_id: UUID, *, after: int, limit: int) -> Sequence[RowMapping]:
    """What was wrong with rows after row `after`."""
    r = import_error.c
    statement = select(r.row, r.errors).where(r.import_id == import_id, r.row > after).order_by(r.row).limit(limit)
    return tx.connection.execute(statement).mappings().all()
