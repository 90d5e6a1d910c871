"""The tables of imports: the file, the progress, the claim of a worker, and the failed rows."""

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    RowMapping,
    String,
    Table,
    Text,
    Uuid,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    update,
)

from complaints.domain.importing.import_file import START, FileFacts, Place
from complaints.domain.scope import ALL_COMPLAINTS, Scope, ScopeKind
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata
from complaints.storage.rows.configuration import api_key, user_account

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
    # The facts of the check. NULL after the end, and for an import that an older program took.
    Column("columns", JSON(none_as_null=True)),
    Column("repeats", LargeBinary),
    # The file is read up to here: a number of rows, and the offset in bytes after them.
    Column("place_row", Integer, nullable=False, server_default="0"),
    Column("place_byte", Integer, nullable=False, server_default="0"),
    Column("claimed_by", String(200)),
    Column("claimed_until", UtcDateTime),
    Column("stops_with_key", Boolean, nullable=False, server_default=false()),
    Column("stopped_because", Text),
    CheckConstraint("status IN ('running', 'completed', 'stopped')", name="status"),
    CheckConstraint("done = accepted + duplicates + failed AND done <= rows", name="adds_up"),
    CheckConstraint("(status = 'running') = (finished_at IS NULL)", name="finished_at"),
    CheckConstraint("(status = 'stopped') = (stopped_because IS NOT NULL)", name="stopped_because"),
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


class ImportStatus(StrEnum):
    """Where an import stands. A stopped import ended before its last row."""

    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """An import without the content of its file. `options` are pairs of name and value.

    `rows` is the number of rows in the file. `done` counts the rows so far: accepted, duplicates and failed.
    `place` is the place in the file after some row; it is that of `done` unless somebody changed `done`.
    """

    id: UUID
    status: ImportStatus
    media_type: str
    charset: str | None
    options: tuple[tuple[str, str], ...]
    dry_run: bool
    source: str
    key_name: str
    key_roles: tuple[str, ...]
    login: str | None
    stops_with_key: bool
    rows: int
    created_at: datetime
    done: int = 0
    accepted: int = 0
    duplicates: int = 0
    failed: int = 0
    place: Place = START
    stopped_because: str | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The file of an import. `facts` is None if an older program took the file."""

    content: bytes
    facts: FileFacts | None


_MEMBERS = tuple(field.name for field in fields(ImportJob) if field.name != "place")
_SHOWN = [*(j[name] for name in _MEMBERS), j.place_row, j.place_byte]
_PROGRESS = ("status", "rows", "done", "accepted", "duplicates", "failed", "finished_at", "stopped_because")
_FORGOTTEN: dict[str, Any] = {"content": b"", "columns": None, "repeats": None}


def _read_job(row: RowMapping) -> ImportJob:
    values = {name: row[name] for name in _MEMBERS}
    values["status"] = ImportStatus(values["status"])
    values["options"] = tuple((name, value) for name, value in values["options"])
    values["key_roles"] = tuple(values["key_roles"])
    return ImportJob(**values, place=Place(row["place_row"], row["place_byte"]))


def insert_job(tx: Transaction, job: ImportJob, file: StoredFile) -> None:
    """Write a new import with its file."""
    values: dict[str, Any] = {name: getattr(job, name) for name in _MEMBERS}
    values.update(options=[list(pair) for pair in job.options], key_roles=list(job.key_roles))
    values["content"] = file.content
    if file.facts is not None:
        values.update(columns=list(file.facts.columns), repeats=_pack(file.facts))
    tx.connection.execute(insert(import_job).values(values))


def _pack(facts: FileFacts) -> bytes:
    """The repeats as pairs of row number and running number, each in four bytes, the lowest first."""
    numbers = array("I", (number for pair in facts.repeats.items() for number in pair))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _unpack(packed: bytes) -> dict[int, int]:
    numbers = array("I", packed)
    if sys.byteorder == "big":
        numbers.byteswap()
    return dict(zip(numbers[::2], numbers[1::2], strict=True))


def find_job(tx: Transaction, import_id: UUID) -> ImportJob | None:
    """The import with this id, or None."""
    row = tx.connection.execute(select(*_SHOWN).where(j.id == import_id)).mappings().first()
    return _read_job(row) if row else None


def list_jobs(tx: Transaction, scope: Scope, login: str | None, *, limit: int) -> list[ImportJob]:
    """Imports of a scope of all or of sources, and those of this user, latest first."""
    statement = select(*_SHOWN).order_by(j.created_at.desc(), j.id).limit(limit)
    if scope != ALL_COMPLAINTS:
        names = scope.names if scope.kind is ScopeKind.SOURCES else ()
        statement = statement.where(or_(j.source.in_(names), j.login == login))
    return [_read_job(row) for row in tx.connection.execute(statement).mappings()]


def find_file(tx: Transaction, import_id: UUID) -> StoredFile:
    """The file of a running import. An import that has ended keeps no file."""
    statement = select(j.content, j.rows, j.columns, j.repeats).where(j.id == import_id)
    content, rows, columns, repeats = tx.connection.execute(statement).one()
    if columns is None:
        return StoredFile(content, None)
    return StoredFile(content, FileFacts(rows, tuple(columns), _unpack(repeats)))


def claim_unfinished(tx: Transaction, key_name: str, login: str | None) -> tuple[int, int]:
    """The number of unfinished imports of a caller, and the bytes of their files. Other imports of the caller wait.

    `key_name` is the name of the caller: of a key, or of the session of the user `login`.
    """
    own = select(api_key.c.id).where(api_key.c.name == key_name).with_for_update(key_share=True)
    if tx.connection.execute(own).first() is None:
        user = select(user_account.c.login).where(user_account.c.login == login)
        tx.connection.execute(user.with_for_update(key_share=True))
    stored = func.coalesce(func.sum(func.length(j.content)), 0)
    row = tx.connection.execute(select(func.count(), stored).where(_runs, j.key_name == key_name)).one()
    return row[0], int(row[1])


def find_unclaimed(tx: Transaction, now: datetime) -> UUID | None:
    """The id of the oldest running import that no worker has claimed at `now`, or None."""
    statement = select(j.id).where(_runs, _unclaimed(now)).order_by(j.created_at, j.id).limit(1)
    return tx.connection.execute(statement).scalar_one_or_none()


def _unclaimed(now: datetime) -> ColumnElement[bool]:
    return or_(j.claimed_until.is_(None), j.claimed_until <= now)


def claim(
    tx: Transaction, import_id: UUID, worker: str, *, now: datetime, until: datetime
) -> ImportJob | None:
    """Claim a running import for `worker` until `until`. None if it has ended or another worker has claimed it.

    `now` and `until` are times of the wall clock.
    """
    free = select(*_SHOWN).where(j.id == import_id, _runs, _unclaimed(now))
    row = tx.connection.execute(free.with_for_update(skip_locked=True)).mappings().first()
    if row is None:
        return None
    claimed = {"claimed_by": worker, "claimed_until": until}
    tx.connection.execute(update(import_job).where(j.id == import_id).values(claimed))
    return _read_job(row)


def lock_claimed(tx: Transaction, import_id: UUID, worker: str) -> ImportJob | None:
    """Lock a running import of `worker`. None if it has ended or another worker has claimed it meanwhile."""
    statement = select(*_SHOWN).where(j.id == import_id, _runs, j.claimed_by == worker).with_for_update()
    row = tx.connection.execute(statement).mappings().first()
    return _read_job(row) if row else None


def prolong(tx: Transaction, *, import_id: UUID, worker: str, until: datetime) -> None:
    """Prolong the claim of `worker`."""
    mine = update(import_job).where(j.id == import_id, j.claimed_by == worker)
    tx.connection.execute(mine.values(claimed_until=until))


def release(tx: Transaction, import_id: UUID, worker: str) -> None:
    """End the claim of `worker`, so that any worker can go on at once."""
    mine = update(import_job).where(j.id == import_id, j.claimed_by == worker)
    tx.connection.execute(mine.values(claimed_by=None, claimed_until=None))


def begin_again(tx: Transaction, job: ImportJob, *, rows: int) -> ImportJob:
    """Take all progress of an import back. `rows` is the number of rows in its file."""
    tx.connection.execute(delete(import_error).where(import_error.c.import_id == job.id))
    again = replace(job, rows=rows, done=0, accepted=0, duplicates=0, failed=0, place=START)
    tx.connection.execute(update(import_job).where(j.id == job.id).values(_progress_of(again)))
    return again


def record_progress(tx: Transaction, job: ImportJob, *, claimed_until: datetime) -> None:
    """Write the progress of an import, and prolong its claim. An import that has ended keeps no file."""
    changed = {**_progress_of(job), "claimed_until": claimed_until}
    if job.status is not ImportStatus.RUNNING:
        changed |= {**_FORGOTTEN, "claimed_by": None, "claimed_until": None}
    tx.connection.execute(update(import_job).where(j.id == job.id).values(changed))


def _progress_of(job: ImportJob) -> dict[str, Any]:
    values = {name: getattr(job, name) for name in _PROGRESS}
    return {**values, "place_row": job.place.row, "place_byte": job.place.byte}


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
