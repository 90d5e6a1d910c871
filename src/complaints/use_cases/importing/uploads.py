"""Takes files for import: checks a file outside any transaction, stores it, and tells the progress."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from complaints.domain.errors import NotFound
from complaints.domain.importing.import_file import FileFacts, open_import, read_options
from complaints.domain.scope import ALL_COMPLAINTS, ScopeKind
from complaints.storage.database.loop_names import IMPORT_LOOP
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import import_job
from complaints.storage.rows.import_job import ImportJob as ImportJob
from complaints.storage.rows.import_job import ImportStatus
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.importing.quotas import UNLIMITED, ImportQuota, check_quota
from complaints.use_cases.service import Service

_SHOWN_OF_FAULT = ("pointer", "message")


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A file to import. `options` are pairs of name and value for `read_options`.

    `charset` is the encoding that the sender declared, or None. A dry run saves no complaints. `stops_with_key`: the
    import stops if the key of its caller is revoked. A caller of the command line has no key. `quota` limits the
    unfinished imports of the caller.
    """

    content: bytes
    media_type: str
    charset: str | None
    options: tuple[tuple[str, str], ...]
    dry_run: bool = False
    stops_with_key: bool = False
    quota: ImportQuota = UNLIMITED


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file without faults of the whole, and the facts that its check found."""

    request: ImportRequest
    facts: FileFacts


def check_file(caller: Caller, request: ImportRequest) -> CheckedFile:
    """Read a whole file and check it. That takes seconds, so no transaction may be open.

    Raises InvalidContent for faults of the whole file.
    """
    caller.require(Right.CREATE)
    file = open_import(
        request.content,
        media_type=request.media_type,
        charset=request.charset,
        options=read_options(request.options),
    )
    return CheckedFile(request, file.facts)


def start_import(service: Service, tx: Transaction, caller: Caller, checked: CheckedFile) -> ImportJob:
    """Store a checked file for import. A worker imports its rows. Raises QuotaUsedUp; then nothing is stored."""
    caller.require(Right.CREATE)
    request = checked.request
    check_quota(tx, caller, request.quota, new_bytes=len(request.content))
    job = ImportJob(
        id=service.new_id(),
        status=ImportStatus.RUNNING,
        media_type=request.media_type,
        charset=request.charset,
        options=request.options,
        dry_run=request.dry_run,
        source=caller.source,
        key_name=caller.name,
        key_roles=tuple(sorted(caller.roles)),
        login=caller.login,
        stops_with_key=request.stops_with_key and not caller.has_session,
        rows=checked.facts.rows,
        created_at=tx.now,
    )
    import_job.insert_job(tx, job, import_job.StoredFile(request.content, checked.facts))
    tx.hasten(IMPORT_LOOP, tx.now)
    return job


def load_import(tx: Transaction, caller: Caller, import_id: UUID) -> ImportJob:
    """An import with its progress. Raises NotFound, also for one outside the scope of the caller (rule 7.8)."""
    job = import_job.find_job(tx, import_id)
    if job is None or not _may_know(caller, job):
        raise NotFound("There is no such import.")
    return job


def list_imports(tx: Transaction, caller: Caller, *, limit: int) -> list[ImportJob]:
    """Up to `limit` imports that the caller may know of, latest first (rule 7.8)."""
    return import_job.list_jobs(tx, caller.scope, caller.login, limit=limit)


def _may_know(caller: Caller, job: ImportJob) -> bool:
    """An import has a source, but no team."""
    if caller.login is not None and job.login == caller.login:
        return True
    scope = caller.scope
    return scope == ALL_COMPLAINTS or (scope.kind is ScopeKind.SOURCES and scope.admits_source(job.source))


def list_errors(tx: Transaction, job: ImportJob, *, after: int, limit: int) -> list[dict[str, Any]]:
    """The failed rows of an import after row `after`: `row` is the row number, `errors` its faults.

    A fault has a `pointer` and a `message`. Rows that an older program stored have more members.
    """
    return [
        {
            "row": row["row"],
            "errors": [{name: one[name] for name in _SHOWN_OF_FAULT} for one in row["errors"]],
        }
        for row in import_job.list_errors(tx, job.id, after=after, limit=limit)
    ]
