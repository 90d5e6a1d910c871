"""The imports of complaints: how far each is, and the rows that failed."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.problems.translations import say
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings.layout import address_of, open_part, show_part
from complaints.console.views.clock_badges import Tone
from complaints.console.views.tables import Cell, Table, TableFact
from complaints.use_cases.importing import uploads
from complaints.use_cases.importing.uploads import ImportJob
from complaints.use_cases.service import Transaction

router = PrefixedRouter(prefix="/imports")
PART = "imports"
_LATEST = 100
_PAGE = 100
_TONES = {"running": Tone.RUNNING, "completed": Tone.MET, "stopped": Tone.LATE}


@router.get("")
def list_imports(request: SignedIn) -> Response:
    """The latest imports that the reader may know of."""
    open_part(request, PART)
    words, locale = request.locale.texts.settings, request.locale
    heads = words.heads
    found = request.read(lambda tx: uploads.list_imports(tx, request.caller, limit=_LATEST))
    rows = [
        (
            Cell(locale.time(job.created_at), address_of(PART, job.id), job.login or job.key_name),
            _state_cell(request, job),
            Cell(job.source),
            *(Cell(locale.number(count)) for count in (job.rows, job.accepted, job.duplicates, job.failed)),
        )
        for job in found
    ]
    heads_of_list = (
        heads.created,
        heads.state,
        heads.source,
        heads.rows,
        heads.accepted,
        heads.duplicates,
        heads.failed,
    )
    table = Table(heads_of_list, rows, empty=words.empty.imports)
    return show_part(request, PART, note=words.notes.imports, tables=[table])


def _state_cell(request: PageRequest, job: ImportJob) -> Cell:
    words = request.locale.texts.settings
    note = words.dry_run if job.dry_run else ""
    return Cell(words.import_states[job.status], note=note, tone=_TONES[job.status])


@router.get("/{import_id}")
def show_import(
    request: SignedIn, import_id: UUID, after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0
) -> Response:
    """One import with the rows that failed."""
    open_part(request, PART)
    locale, words = request.locale, request.locale.texts.settings
    heads = words.heads

    def find(tx: Transaction) -> tuple[ImportJob, list[tuple[int, list[dict[str, str]]]]]:
        job = uploads.load_import(tx, request.caller, import_id)
        errors = uploads.list_errors(tx, job, after=after, limit=_PAGE + 1)
        return job, [(row["row"], row["errors"]) for row in errors]

    job, errors = request.read(find)
    facts = [
        TableFact(heads.state, _state_cell(request, job)),
        TableFact(heads.source, Cell(job.source)),
        TableFact(heads.by, Cell(job.login or job.key_name)),
        TableFact(heads.rows, Cell(locale.number(job.rows))),
        TableFact(heads.accepted, Cell(locale.number(job.accepted))),
        TableFact(heads.duplicates, Cell(locale.number(job.duplicates))),
        TableFact(heads.failed, Cell(locale.number(job.failed))),
    ]
    if job.stopped_because:
        facts.append(TableFact(heads.fault, Cell(say(job.stopped_because, locale.language))))
    rows = [
        (Cell(str(row)), Cell(one["pointer"], code=True), Cell(say(one["message"], locale.language)))
        for row, faults in errors[:_PAGE]
        for one in faults
    ]
    more = f"?after={errors[_PAGE - 1][0]}" if len(errors) > _PAGE else ""
    table = Table(
        (heads.row, heads.member, heads.fault), rows, words.failed_rows, words.empty.failed_rows, more=more
    )
    return show_part(request, PART, title=locale.time(job.created_at), facts=facts, tables=[table])
