"""Imports a chunk of rows: parses the rows, registers them, and counts what became of them."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from complaints.domain.errors import ComplaintError, Fault
from complaints.domain.importing.import_file import ImportRow
from complaints.domain.rules.endings import Ending
from complaints.domain.vocabulary import AccessRole
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.import_job import ImportJob
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.imported import ImportedComplaint
from complaints.use_cases.commands.messages import find_faults
from complaints.use_cases.complaints.intake import IntakeResult, register
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.service import Service

ParsedRow = tuple[ImportRow, ImportedComplaint | Sequence[Fault]]


@dataclass(slots=True)
class ChunkResult:
    """The result of a chunk. `errors` are pairs of row number and faults. `identities` name the rows of a dry run."""

    accepted: int = 0
    duplicates: int = 0
    errors: list[tuple[int, list[dict[str, str]]]] = field(default_factory=list)
    identities: set[object] = field(default_factory=set)

    def fail(self, row: ImportRow, faults: Sequence[Fault]) -> None:
        """Record the faults of a row."""
        shown = [{"pointer": fault.pointer, "message": fault.message} for fault in faults]
        self.errors.append((row.number, shown))


def parse_row(row: ImportRow) -> ParsedRow:
    """The row with its complaint to register, or with its faults."""
    if row.body is None:
        return row, row.faults
    try:
        return row, ImportedComplaint.model_validate(row.body)
    except ValidationError as error:
        return row, find_faults(error, row.body, ImportedComplaint)


def import_rows(
    service: Service, tx: Transaction, job: ImportJob, rows: Sequence[ParsedRow], seen: Collection[object]
) -> ChunkResult:
    """Register the rows of a chunk. `seen` are the identities of the chunks before, in a dry run."""
    result = ChunkResult()
    caller = _caller_of(service, tx, job)
    valid: list[tuple[ImportRow, IntakeRequest]] = []
    for row, parsed in rows:
        if isinstance(parsed, ImportedComplaint):
            valid.append((row, _request_of(job, caller, row, parsed)))
        else:
            result.fail(row, parsed)
    requests = [request for _, request in valid]
    outcomes = _register_rows(service, tx, job, requests)
    for (row, request), outcome in zip(valid, outcomes, strict=True):
        is_seen = job.dry_run and _is_seen(job, request, seen, result.identities)
        if isinstance(outcome, ComplaintError):
            result.fail(row, outcome.faults or [Fault("", outcome.detail)])
        elif outcome.created and not is_seen:
            result.accepted += 1
        else:
            result.duplicates += 1
    return result


def _caller_of(service: Service, tx: Transaction, job: ImportJob) -> Caller:
    reach = service.configuration(tx).reach_of(job.login) if job.login else None
    roles = frozenset(AccessRole(role) for role in job.key_roles)
    return Caller(job.key_name, roles, job.source, job.login, reach)


def _request_of(job: ImportJob, caller: Caller, row: ImportRow, command: ImportedComplaint) -> IntakeRequest:
    return IntakeRequest(
        caller,
        command,
        import_id=job.id,
        row_digest=_digest(job, command, row),
        team=command.team,
        ending=_ending_of(command),
    )


def _ending_of(command: ImportedComplaint) -> Ending | None:
    """The end of the complaint in the other system, or None if it has not ended there."""
    if command.status is None:
        return None
    return Ending(
        status=command.status,
        closed_at=command.closed_at,
        resolved_at=command.resolved_at,
        result_told_at=command.result_told_at,
        outcome=command.outcome,
        resolution=command.resolution,
        root_cause=command.root_cause,
    )


def _digest(job: ImportJob, command: ImportedComplaint, row: ImportRow) -> str:
    """The digest of a row within its source. So a second import of the same file changes nothing."""
    return hashlib.sha256(f"{command.source or job.source}\n{row.digest}".encode()).hexdigest()


def _register_rows(
    service: Service, tx: Transaction, job: ImportJob, requests: list[IntakeRequest]
) -> list[IntakeResult | ComplaintError]:
    """Register the rows. A dry run is rolled back."""
    if not requests:
        return []
    if not job.dry_run:
        return register(service, tx, requests)
    with tx.rolled_back():
        return register(service, tx, requests)


def _is_seen(
    job: ImportJob, request: IntakeRequest, seen: Collection[object], identities: set[object]
) -> bool:
    """True if a row before has the identity of this one. The database has no row of a dry run."""
    command = request.command
    source = command.source or job.source
    external_id = command.external_id or (command.external_ids or {}).get(source)
    identity = (source, external_id) if external_id else request.row_digest
    is_seen = identity in seen or identity in identities
    identities.add(identity)
    return is_seen
