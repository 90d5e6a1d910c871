"""Imports: a file is taken in chunks, each with its progress in one transaction: a crash loses and doubles nothing."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from uuid import UUID

from pydantic import ValidationError

from complaints.domain.errors import ComplaintError, Fault, NotFound
from complaints.domain.importing.import_file import ImportRow, open_import, parse_options
from complaints.domain.vocabulary import AccessRole
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import import_job
from complaints.storage.rows.import_job import Job
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.commands.messages import as_errors
from complaints.use_cases.complaints.intake import ImportMark, IntakeResult, Post, register
from complaints.use_cases.service import Service

CHUNK = 250
_RUNNING, _COMPLETED = "running", "completed"


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A file to import, and how to read it. `options` are the pairs that `parse_options` takes."""

    content: bytes
    media_type: str
    charset: str | None
    options: tuple[tuple[str, str], ...]
    dry_run: bool = False


def start_import(service: Service, tx: Transaction, caller: Caller, request: ImportRequest) -> Job:
    """Take in a file for import. Raises InvalidContent for faults of the whole file; then nothing is kept."""
    caller.require(Right.CREATE)
    file = open_import(
        request.content,
        media_type=request.media_type,
        charset=request.charset,
        options=parse_options(request.options),
    )
    job = Job(
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
    return job


def load_import(tx: Transaction, caller: Caller, import_id: UUID) -> Job:
    """How far an import is. Raises NotFound, also for one of a source the caller may not know of."""
    job = import_job.find_job(tx, import_id)
    if job is None or not caller.scope.admits_source(job.source):
        raise NotFound("There is no such import.")
    return job


def work_on_imports(service: Service, stopping: Callable[[], bool] = lambda: False) -> None:
    """Finish the imports that run, oldest first, unless `stopping` says so."""
    while not stopping() and (import_id := service.read(import_job.find_running)) is not None:
        if not work_on(service, import_id, stopping=stopping):
            return  # another process is at it


def work_on(
    service: Service,
    import_id: UUID,
    *,
    progress: Callable[[Job], None] = lambda job: None,
    stopping: Callable[[], bool] = lambda: False,
) -> bool:
    """Take one import to its end, chunk by chunk; False if it was stopped or another process works on it.

    Several processes at once do no row twice: each chunk locks the import.
    """
    reader = _Reader(*service.read(lambda tx: _file_of(tx, import_id)))
    while not stopping():
        job = service.write(lambda tx: _take_chunk(service, tx, import_id, reader))
        if job is None:  # another process works on it, or has finished it
            job = service.read(lambda tx: import_job.find_job(tx, import_id))
            return job is not None and job.status == _COMPLETED
        progress(job)
        if job.status == _COMPLETED:
            return True
    return False


def _file_of(tx: Transaction, import_id: UUID) -> tuple[Job, bytes]:
    job = import_job.find_job(tx, import_id)
    assert job is not None  # imports are never deleted
    return job, import_job.find_content(tx, import_id)


class _Reader:
    """The rows of one file, from any row on."""

    def __init__(self, job: Job, content: bytes) -> None:
        self._file = open_import(
            content, media_type=job.media_type, charset=job.charset, options=parse_options(job.options)
        )
        self._rows: Iterator[ImportRow] = iter(())
        self._at = -1
        self.seen: set[object] = set()  # what a dry run met: it leaves nothing in the database to find

    def take(self, start: int, count: int) -> list[ImportRow]:
        """Up to `count` rows after the first `start`."""
        if self._at != start:
            self._rows = islice(self._file.rows(), start, None)
        rows = list(islice(self._rows, count))
        self._at = start + len(rows)
        return rows


@dataclass(slots=True)
class _Tally:
    """What became of a chunk."""

    accepted: int = 0
    duplicates: int = 0
    errors: list[tuple[int, list[dict[str, str]]]] = field(default_factory=list)

    def fail(self, row: ImportRow, faults: Sequence[Fault]) -> None:
        """Put a row's faults on record."""
        self.errors.append((row.number, [asdict(fault) for fault in faults]))


def _take_chunk(service: Service, tx: Transaction, import_id: UUID, reader: _Reader) -> Job | None:
    """Import the next rows and note the progress; None where another process does, or nothing is left."""
    job = import_job.claim_running(tx, import_id)
    if job is None:
        return None
    rows = reader.take(job.done, CHUNK)
    tally = _tally(service, tx, job, rows, reader)
    done = job.done + len(rows)
    finished = done >= job.rows
    job = replace(
        job,
        done=done,
        accepted=job.accepted + tally.accepted,
        duplicates=job.duplicates + tally.duplicates,
        failed=job.failed + len(tally.errors),
        status=_COMPLETED if finished else _RUNNING,
        finished_at=tx.now if finished else None,
    )
    import_job.insert_errors(tx, job.id, tally.errors)
    import_job.record_progress(tx, job)
    return job


def _tally(service: Service, tx: Transaction, job: Job, rows: list[ImportRow], reader: _Reader) -> _Tally:
    tally = _Tally()
    valid: list[tuple[ImportRow, CreateComplaint]] = []
    for row in rows:
        command = _command(row)
        if isinstance(command, CreateComplaint):
            valid.append((row, command))
        else:
            tally.fail(row, command)
    outcomes = _registered(service, tx, job, valid, reader)
    for (row, _), outcome in zip(valid, outcomes, strict=True):
        if isinstance(outcome, ComplaintError):
            tally.fail(row, outcome.faults or [Fault("", outcome.detail)])
        elif outcome:
            tally.accepted += 1
        else:
            tally.duplicates += 1
    return tally


def _command(row: ImportRow) -> CreateComplaint | Sequence[Fault]:
    """The row as a complaint to register, or what is wrong with it."""
    if row.body is None:
        return row.faults
    try:
        return CreateComplaint.model_validate(row.body)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_input=False)]
        return [Fault(one["pointer"], one["message"]) for one in as_errors(found, body=row.body)]


def _registered(
    service: Service,
    tx: Transaction,
    job: Job,
    valid: list[tuple[ImportRow, CreateComplaint]],
    reader: _Reader,
) -> list[bool | ComplaintError]:
    """For each row whether it is new, or why it cannot be registered. A dry run takes back what it wrote."""
    if not valid:
        return []
    caller = Caller(job.key_name, frozenset(AccessRole(r) for r in job.key_roles), job.source, job.login)
    posts = [Post(caller, command, ImportMark(job.id, _digest(job, command, row))) for row, command in valid]
    if not job.dry_run:
        outcomes = register(service, tx, posts)
        return [o.created if isinstance(o, IntakeResult) else o for o in outcomes]
    with tx.rolled_back():
        outcomes = register(service, tx, posts)
    found: list[bool | ComplaintError] = []
    for post, outcome in zip(posts, outcomes, strict=True):
        key = _known_by(job, post)
        new = isinstance(outcome, IntakeResult) and outcome.created and key not in reader.seen
        found.append(outcome if isinstance(outcome, ComplaintError) else new)
        reader.seen.add(key)
    return found


def _known_by(job: Job, post: Post) -> object:
    command = post.command
    if command.external_id:
        return command.source or job.source, command.external_id
    return post.mark and post.mark.digest


def _digest(job: Job, command: CreateComplaint, row: ImportRow) -> str:
    """A row is known by its content within a source: the same file imported again changes nothing."""
    return hashlib.sha256(f"{command.source or job.source}\n{row.digest}".encode()).hexdigest()
