"""The work of the command `complaints export`."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from shutil import copyfileobj
from typing import BinaryIO

from complaints.domain.vocabulary import AccessRole
from complaints.features.exports import use_cases
from complaints.features.exports.files import ExportForm, ExportFormat, ExportWorkbook
from complaints.features.exports.requests import describe_access, read_query
from complaints.features.exports.routes import refuse_too_many
from complaints.features.exports.use_cases import ExportStart
from complaints.use_cases.access import Caller
from complaints.use_cases.complaints.feed_cursor import FeedPlace, cursor_at
from complaints.use_cases.complaints.views import ComplaintParts
from complaints.use_cases.service import Service
from complaints.use_cases.table_files.workbook import temporary_workbook

_CALLER = Caller("export", frozenset({AccessRole.ADMIN}), "export")
Progress = Callable[[int, int], None]
"""Called with the number of complaints that are done, and of all that fit."""


def export_to_file(
    service: Service, file: BinaryIO, asked: Sequence[tuple[str, str]], progress: Progress, *, at: datetime
) -> str:
    """Write the export of a query to `file`. Returns the cursor of its place in the feed.

    The query has the parameters of `GET /v1/exports`. Raises the refusals of that call.
    """
    query = read_query(asked)
    form = query.form(ExportFormat.NDJSON)
    start = use_cases.start_export(service, _CALLER, query, count=True)
    if form.format is ExportFormat.XLSX:
        refuse_too_many(start.count or 0)
    if form.content.has_persons:
        use_cases.log_persons(service, _CALLER, describe_access(query, form, asked))
    pages = _watched(use_cases.read_pages(service, _CALLER, query, start), start, progress)
    cursor = cursor_at(FeedPlace(start.number, start.mark))
    if form.format is ExportFormat.XLSX:
        _write_workbook(file, form, pages, at, cursor)
    else:
        file.write(form.header())
        for complaints in pages:
            file.write(form.lines(complaints))
    return cursor


def _watched(
    pages: Iterator[Sequence[ComplaintParts]], start: ExportStart, progress: Progress
) -> Iterator[Sequence[ComplaintParts]]:
    """The pages. `progress` is called when a page is written."""
    done = 0
    for complaints in pages:
        yield complaints
        progress(done := done + len(complaints), start.count or 0)


def _write_workbook(
    file: BinaryIO, form: ExportForm, pages: Iterator[Sequence[ComplaintParts]], at: datetime, cursor: str
) -> None:
    with temporary_workbook(zone=form.zone) as book:
        sheets = ExportWorkbook(book, form)
        for complaints in pages:
            sheets.add(complaints)
            refuse_too_many(sheets.rows)
        sheets.finish(at=at, cursor=cursor)
        with book.path.open("rb") as made:
            copyfileobj(made, file)
