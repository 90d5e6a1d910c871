"""The tables of imports: the file, the progress, and the failed rows."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
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
    func,
    insert,
    select,
    update,
)

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata
from complaints.storage.rows.configuration import api_key

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
    Column("key_name", String(200), nullable=False),
    Column("key_roles", JSON, nullable=False),
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
_runs = j.status == "running"
Index("ix_import_job__running", j.created_at, postgresql_where=_runs, sqlite_where=_runs)

import_error = Table(
    "import_error",
    metadata,
    Column("import_id", ForeignKey("import_job.id"), primary_key=True),
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("errors", JSON, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ImportJob:
    """An import without the content of its file. `options` are pairs of name and value.

    `rows` is the number of rows in the file. `done` counts the rows so far: accepted, duplicates and failed.
    """

    id: UUID
    status: str
    media_type: str
    charset: str | None
    options: tuple[tuple[str, str], ...]
    dry_run: bool
    source: str
    key_name: str
    key_roles: tuple[str, ...]
    login: str | None
    rows: int
    done: int
    accepted: int
    duplicates: int
    failed: int
    created_at: datetime
    finished_at: datetime | None = None


_MEMBERS = tuple(field.name for field in fields(ImportJob))
_SHOWN = [j[name] for name in _MEMBERS]


def _read_job(row: RowMapping) -> ImportJob:
    values = {name: row[name] for name in _MEMBERS}
    values["options"] = tuple((name, value) for name, value in values["options"])
    values["key_roles"] = tuple(values["key_roles"])
    return ImportJob(**values)


def insert_job(tx: Transaction, job: ImportJob, content: bytes) -> None:
    """Write a new import with its file."""
    values: dict[str, Any] = {name: getattr(job, name) for name in _MEMBERS}
    values.update(
        options=[list(pair) for pair in job.options], key_roles=list(job.key_roles), content=content
    )
    tx.connection.execute(insert(import_job).values(values))


def find_job(tx: Transaction, import_id: UUID) -> ImportJob | None:
    """The import with this id, or None."""
    row = tx.connection.execute(select(*_SHOWN).where(j.id == import_id)).mappings().first()
    return _read_job(row) if row else None


def find_content(tx: Transaction, import_id: UUID) -> bytes:
    """The content of the file of an import."""
    content: bytes = tx.connection.execute(select(j.content).where(j.id == import_id)).scalar_one()
    return content


def claim_unfinished(tx: Transaction, key_name: str) -> tuple[int, int]:
    """The number of unfinished imports of a key, and the bytes of their files. Other imports of the key wait."""
    own = select(api_key.c.id).where(api_key.c.name == key_name).with_for_update(key_share=True)
    tx.connection.execute(own)
    stored = func.coalesce(func.sum(func.length(j.content)), 0)
    row = tx.connection.execute(select(func.count(), stored).where(_runs, j.key_name == key_name)).one()
    return row[0], int(row[1])


def find_running(tx: Transaction) -> UUID | None:
    """The id of the oldest import that is not finished, or None."""
    statement = select(j.id).where(_runs).order_by(j.created_at, j.id).limit(1)
    return tx.connection.execute(statement).scalar_one_or_none()


def claim_running(tx: Transaction, import_id: UUID) -> ImportJob | None:
    """Lock a running import. None if it is finished or another process works on it now."""
    statement = select(*_SHOWN).where(j.id == import_id, _runs).with_for_update(skip_locked=True)
    row = tx.connection.execute(statement).mappings().first()
    return _read_job(row) if row else None


def record_progress(tx: Transaction, job: ImportJob) -> None:
    """Write the progress of an import."""
    changed = {
        name: getattr(job, name)
        for name in ("status", "done", "accepted", "duplicates", "failed", "finished_at")
    }
    tx.connection.execute(update(import_job).where(j.id == job.id).values(changed))


def insert_errors(
    tx: Transaction, import_id: UUID, errors: Sequence[tuple[int, list[dict[str, str]]]]
) -> None:
    """Write the faults of failed rows: pairs of row number and faults."""
    if errors:
        rows = [{"import_id": import_id, "row": row, "errors": found} for row, found in errors]
        tx.connection.execute(insert(import_error), rows)


def list_errors(tx: Transaction, import_id: UUID, *, after: int, limit: int) -> Sequence[RowMapping]:
    """The failed rows after row number `after`, with their faults."""
    r = import_error.c
    statement = (
        select(r.row, r.errors).where(r.import_id == import_id, r.row > after).order_by(r.row).limit(limit)
    )
    return tx.connection.execute(statement).mappings().all()
