"""Imports of files. Each transaction saves a chunk of rows with the progress, so a crash loses and doubles no row."""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any, ClassVar
from uuid import UUID

from pydantic import ValidationError

from complaints.domain.errors import ComplaintError, Fault, NotFound
from complaints.domain.importing.import_file import ImportRow, open_import, parse_options
from complaints.domain.vocabulary import AccessRole
from complaints.storage.database.loop_names import IMPORT_LOOP
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import import_job
from complaints.storage.rows.import_job import ImportJob as ImportJob
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.commands.messages import find_faults
from complaints.use_cases.complaints.intake import IntakeRequest, IntakeResult, register
from complaints.use_cases.service import Service

CHUNK = 250
_RUNNING, _COMPLETED = "running", "completed"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImportQuota:
    """The most unfinished imports of one key, and the most bytes of their files together. 0 means no limit."""

    running: int = 0
    stored_bytes: int = 0


class QuotaUsedUp(ComplaintError):
    """The key has too many unfinished imports. `limit` is the name of the limit, `most` its value."""

    kind: ClassVar[str] = "limited"
    code: ClassVar[str] = "too-many-requests"

    def __init__(self, detail: str, *, limit: str, most: int) -> None:
        super().__init__(detail)
        self.limit = limit
        self.most = most


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A file to import. `options` are pairs of name and value for `parse_options`.

    `charset` is the encoding that the sender declared, or None. A dry run saves no complaints. `quota` limits the
    unfinished imports of the caller.
    """

    content: bytes
    media_type: str
    charset: str | None
    options: tuple[tuple[str, str], ...]
    dry_run: bool = False
    quota: ImportQuota = ImportQuota()


def start_import(service: Service, tx: Transaction, caller: Caller, request: ImportRequest) -> ImportJob:
    """Store a file for import.

    Raises InvalidContent for faults of the whole file, and QuotaUsedUp; then nothing is stored.
    """
    caller.require(Right.CREATE)
    _check_quota(tx, caller, request)
    file = open_import(
        request.content,
        media_type=request.media_type,
        charset=request.charset,
        options=parse_options(request.options),
    )
    job = ImportJob(
        id=service.new_id(),
        status=_RUNNING,
        media_type=request.media_type,
        charset=request.charset,
        options=request.options,
        dry_run=request.dry_run,
        source=caller.source,
        key_name=caller.name,
        key_roles=tuple(sorted(caller.roles)),
        login=caller.login,
        rows=len(file),
        done=0,
        accepted=0,
        duplicates=0,
        failed=0,
        created_at=tx.now,
    )
    import_job.insert_job(tx, job, request.content)
    tx.hasten(IMPORT_LOOP, tx.now)
    return job


def _check_quota(tx: Transaction, caller: Caller, request: ImportRequest) -> None:
    most = request.quota
    if not most.running and not most.stored_bytes:
        return
    running, stored_bytes = import_job.claim_unfinished(tx, caller.name)
    if most.running and running >= most.running:
        raise QuotaUsedUp(
            f"This key has {running} unfinished imports, the most that it may have: wait until one is finished.",
            limit="imports",
            most=most.running,
        )
    if most.stored_bytes and stored_bytes + len(request.content) > most.stored_bytes:
        raise QuotaUsedUp(
            f"The files of this key's unfinished imports may have {most.stored_bytes} bytes together: "
            "wait until one is finished.",
            limit="stored",
            most=most.stored_bytes,
        )


def load_import(tx: Transaction, caller: Caller, import_id: UUID) -> ImportJob:
    """An import with its progress. Raises NotFound, also if the source is hidden from the caller."""
    job = import_job.find_job(tx, import_id)
    if job is None or not caller.scope.admits_source(job.source):
        raise NotFound("There is no such import.")
    return job


def list_errors(tx: Transaction, job: ImportJob, *, after: int, limit: int) -> Sequence[Mapping[Any, Any]]:
    """The failed rows of an import after row `after`: `row` is the row number, `errors` its faults."""
    return import_job.list_errors(tx, job.id, after=after, limit=limit)


def work_on_imports(service: Service, stopping: Callable[[], bool] = lambda: False) -> None:
    """Finish the running imports, oldest first, until `stopping` is true."""
    while not stopping() and (import_id := service.read(import_job.find_running)) is not None:
        if not work_on(service, import_id, stopping=stopping):
            return  # another process works on it


def work_on(
    service: Service,
    import_id: UUID,
    *,
    progress: Callable[[ImportJob], None] = lambda job: None,
    stopping: Callable[[], bool] = lambda: False,
) -> bool:
    """Work on an import to its end, chunk by chunk. False if it was stopped or another process works on it.

    Several processes do no row twice, because each chunk locks the import. `progress` is called after each
    chunk.
    """
    reader = _RowReader(*service.read(lambda tx: _load_file(tx, import_id)))
    while not stopping():
        job = service.write(lambda tx: _take_chunk(service, tx, import_id, reader))
        if job is None:  # another process works on it, or has finished it
            job = service.read(lambda tx: import_job.find_job(tx, import_id))
            return job is not None and job.status == _COMPLETED
        progress(job)
        if job.status == _COMPLETED:
            _log_end(job)
            return True
    return False


def _log_end(job: ImportJob) -> None:
    counts = {"rows": job.rows, "accepted": job.accepted, "duplicates": job.duplicates, "failed": job.failed}
    log.info(
        "an import ended", extra={"id": str(job.id), "source": job.source, "dry_run": job.dry_run, **counts}
    )


def _load_file(tx: Transaction, import_id: UUID) -> tuple[ImportJob, bytes]:
    job = import_job.find_job(tx, import_id)
    assert job is not None  # imports are never deleted
    return job, import_job.find_content(tx, import_id)


class _RowReader:
    """Reads the rows of a file from any row."""

    def __init__(self, job: ImportJob, content: bytes) -> None:
        self._file = open_import(
            content, media_type=job.media_type, charset=job.charset, options=parse_options(job.options)
        )
        self._rows: Iterator[ImportRow] = iter(())
        self._at = -1
        self.seen: set[object] = set()  # identities of rows of a dry run, because the database has none

    def take(self, start: int, count: int) -> list[ImportRow]:
        """At most `count` rows after the first `start` rows."""
        if self._at != start:
            self._rows = islice(self._file.rows(), start, None)
        rows = list(islice(self._rows, count))
        self._at = start + len(rows)
        return rows


@dataclass(slots=True)
class _ChunkResult:
    """The result of a chunk. `errors` are pairs of row number and faults."""

    accepted: int = 0
    duplicates: int = 0
    errors: list[tuple[int, list[dict[str, str]]]] = field(default_factory=list)

    def fail(self, row: ImportRow, faults: Sequence[Fault]) -> None:
        """Record the faults of a row."""
        self.errors.append((row.number, [asdict(fault) for fault in faults]))


def _take_chunk(service: Service, tx: Transaction, import_id: UUID, reader: _RowReader) -> ImportJob | None:
    """Import the next rows and save the progress. None if another process does so, or no row is left."""
    job = import_job.claim_running(tx, import_id)
    if job is None:
        return None
    rows = reader.take(job.done, CHUNK)
    result = _import_rows(service, tx, job, rows, reader)
    done = job.done + len(rows)
    finished = done >= job.rows
    job = replace(
        job,
        done=done,
        accepted=job.accepted + result.accepted,
        duplicates=job.duplicates + result.duplicates,
        failed=job.failed + len(result.errors),
        status=_COMPLETED if finished else _RUNNING,
        finished_at=tx.now if finished else None,
    )
    import_job.insert_errors(tx, job.id, result.errors)
    import_job.record_progress(tx, job)
    _count_work(tx, job, result)
    return job


def _count_work(tx: Transaction, job: ImportJob, result: _ChunkResult) -> None:
    """For the measures of this process. Rows of a dry run do not count."""
    if not job.dry_run:
        tx.count("import_rows", "accepted", result.accepted)
        tx.count("import_rows", "duplicate", result.duplicates)
        tx.count("import_rows", "failed", len(result.errors))
    if job.status == _COMPLETED:
        tx.count("imports", "dry run" if job.dry_run else "import")


def _import_rows(
    service: Service, tx: Transaction, job: ImportJob, rows: list[ImportRow], reader: _RowReader
) -> _ChunkResult:
    result = _ChunkResult()
    valid: list[tuple[ImportRow, CreateComplaint]] = []
    for row in rows:
        command = _parse_row(row)
        if isinstance(command, CreateComplaint):
            valid.append((row, command))
        else:
            result.fail(row, command)
    outcomes = _register_rows(service, tx, job, valid, reader)
    for (row, _), outcome in zip(valid, outcomes, strict=True):
        if isinstance(outcome, ComplaintError):
            result.fail(row, outcome.faults or [Fault("", outcome.detail)])
        elif outcome:
            result.accepted += 1
        else:
            result.duplicates += 1
    return result


def _parse_row(row: ImportRow) -> CreateComplaint | Sequence[Fault]:
    """The row as a complaint to register, or its faults."""
    if row.body is None:
        return row.faults
    try:
        return CreateComplaint.model_validate(row.body)
    except ValidationError as error:
        return find_faults(error, row.body, CreateComplaint)


def _register_rows(
    service: Service,
    tx: Transaction,
    job: ImportJob,
    valid: list[tuple[ImportRow, CreateComplaint]],
    reader: _RowReader,
) -> list[bool | ComplaintError]:
    """Register the rows. For each row: whether it is new, or its error. A dry run is rolled back."""
    if not valid:
        return []
    caller = Caller(job.key_name, frozenset(AccessRole(r) for r in job.key_roles), job.source, job.login)
    requests = [
        IntakeRequest(caller, command, import_id=job.id, row_digest=_digest(job, command, row))
        for row, command in valid
    ]
    if not job.dry_run:
        outcomes = register(service, tx, requests)
        return [o.created if isinstance(o, IntakeResult) else o for o in outcomes]
    with tx.rolled_back():
        outcomes = register(service, tx, requests)
    found: list[bool | ComplaintError] = []
    for request, outcome in zip(requests, outcomes, strict=True):
        key = _identify_row(job, request)
        new = isinstance(outcome, IntakeResult) and outcome.created and key not in reader.seen
        found.append(outcome if isinstance(outcome, ComplaintError) else new)
        reader.seen.add(key)
    return found


def _identify_row(job: ImportJob, request: IntakeRequest) -> object:
    command = request.command
    if command.external_id:
        return command.source or job.source, command.external_id
    return request.row_digest


def _digest(job: ImportJob, command: CreateComplaint, row: ImportRow) -> str:
    """The digest of a row within its source. So a second import of the same file changes nothing."""
    return hashlib.sha256(f"{command.source or job.source}\n{row.digest}".encode()).hexdigest()
