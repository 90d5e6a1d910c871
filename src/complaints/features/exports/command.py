"""The work of the command `complaints export`."""

import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO

from complaints.api.complaints.changes import make_cursor
from complaints.domain.vocabulary import AccessRole
from complaints.features.exports import use_cases
from complaints.features.exports.files import ExportForm, ExportFormat, ExportWorkbook
from complaints.features.exports.requests import ExportQuery, describe_access, read_query
from complaints.features.exports.routes import refuse_too_many
from complaints.features.exports.use_cases import ExportStart
from complaints.use_cases.access import Caller
from complaints.use_cases.service import Service

_CALLER = Caller("export", frozenset({AccessRole.ADMIN}), "export")
Progress = Callable[[int, int], None]
"""Called with the number of complaints that are done, and of all that fit."""


def export_to_file(
    service: Service, file: BinaryIO, asked: Sequence[tuple[str, str]], progress: Progress, *, at: datetime
) -> str:
    """Write the export of a query to `file`. Returns the cursor of its place in the feed.

    The query has the parameters of `GET /v1/exports`. Raises ValidationError and the refusals of that call.
    """
    query = read_query(asked)
    form = query.form(ExportFormat.NDJSON)
    start = use_cases.start_export(service, _CALLER, query, count=True)
    if form.format is ExportFormat.XLSX:
        refuse_too_many(start.count or 0)
    if form.content.has_persons:
        use_cases.log_persons(service, _CALLER, describe_access(query, form, asked))
    write = _write_workbook if form.format is ExportFormat.XLSX else _write_lines
    write(service, file, query, form, start, progress, at)
    return make_cursor(start.number, start.mark)


def _write_lines(
    service: Service,
    file: BinaryIO,
    query: ExportQuery,
    form: ExportForm,
    start: ExportStart,
    progress: Progress,
    _at: datetime,
) -> None:
    done = 0
    file.write(form.header())
    for complaints in use_cases.read_pages(service, _CALLER, query, start):
        file.write(form.lines(complaints))
        progress(done := done + len(complaints), start.count or 0)


def _write_workbook(
    service: Service,
    file: BinaryIO,
    query: ExportQuery,
    form: ExportForm,
    start: ExportStart,
    progress: Progress,
    at: datetime,
) -> None:
    with tempfile.TemporaryDirectory(prefix="complaints-export-") as directory:
        path = Path(directory) / "export.xlsx"
        book = ExportWorkbook(path, form)
        for complaints in use_cases.read_pages(service, _CALLER, query, start):
            book.add(complaints)
            progress(book.rows, start.count or 0)
        book.finish(at=at, cursor=make_cursor(start.number, start.mark))
        with path.open("rb") as made:
            copyfileobj(made, file)
