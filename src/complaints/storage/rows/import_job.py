"""Imports: the file as it came, how far it has been taken, and the rows that failed."""

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
    insert,
    select,
    update,
)

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata

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
class Job:
    """An import without its content. `options` are name and value pairs; `rows` how many the file has."""

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


_MEMBERS = tuple(field.name for field in fields(Job))
_SHOWN = [j[name] for name in _MEMBERS]


def _job(row: RowMapping) -> Job:
    values = {name: row[name] for name in _MEMBERS}
    values["options"] = tuple((name, value) for name, value in values["options"])
    values["key_roles"] = tuple(values["key_roles"])
    return Job(**values)


def insert_job(tx: Transaction, job: Job, content: bytes) -> None:
    """Write a new import."""
    values: dict[str, Any] = {name: getattr(job, name) for name in _MEMBERS}
    values.update(
        options=[list(pair) for pair in job.options], key_roles=list(job.key_roles), content=content
    )
    tx.connection.execute(insert(import_job).values(values))


def find_job(tx: Transaction, import_id: UUID) -> Job | None:
    """An import."""
    row = tx.connection.execute(select(*_SHOWN).where(j.id == import_id)).mappings().first()
    return _job(row) if row else None


def find_content(tx: Transaction, import_id: UUID) -> bytes:
    """The file of an import."""
    content: bytes = tx.connection.execute(select(j.content).where(j.id == import_id)).scalar_one()
    return content


def find_running(tx: Transaction) -> UUID | None:
    """The oldest import that is not finished."""
    statement = select(j.id).where(_runs).order_by(j.created_at, j.id).limit(1)
    return tx.connection.execute(statement).scalar_one_or_none()


def claim_running(tx: Transaction, import_id: UUID) -> Job | None:
    """Lock an import that runs; None if it is finished or another process works on it now."""
    statement = select(*_SHOWN).where(j.id == import_id, _runs).with_for_update(skip_locked=True)
    row = tx.connection.execute(statement).mappings().first()
    return _job(row) if row else None


def record_progress(tx: Transaction, job: Job) -> None:
    """Write how far an import has come."""
    changed = {
        name: getattr(job, name)
        for name in ("status", "done", "accepted", "duplicates", "failed", "finished_at")
    }
    tx.connection.execute(update(import_job).where(j.id == job.id).values(changed))


def insert_errors(
    tx: Transaction, import_id: UUID, errors: Sequence[tuple[int, list[dict[str, str]]]]
) -> None:
    """Write what was wrong with rows."""
    if errors:
        rows = [{"import_id": import_id, "row": row, "errors": found} for row, found in errors]
        tx.connection.execute(insert(import_error), rows)


def list_errors(tx: Transaction, import_id: UUID, *, after: int, limit: int) -> Sequence[RowMapping]:
    """What was wrong with rows after row `after`."""
    r = import_error.c
    statement = (
        select(r.row, r.errors).where(r.import_id == import_id, r.row > after).order_by(r.row).limit(limit)
    )
    return tx.connection.execute(statement).mappings().all()
