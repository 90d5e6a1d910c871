"""The route of exports."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from weakref import WeakKeyDictionary

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from complaints.api.http.authentication import find_caller
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.request_ids import is_head
from complaints.api.http.strict_route import StrictRoute
from complaints.api.problems.media_ranges import find_quality
from complaints.api.problems.schemas import refusals
from complaints.api.request import ApiRequest, CurrentRequest, require_right
from complaints.domain.errors import Forbidden, InvalidContent
from complaints.features.exports import use_cases
from complaints.features.exports.answers import ExportAnswer
from complaints.features.exports.columns import ComplaintExported
from complaints.features.exports.files import (
    MEDIA_TYPES,
    NDJSON_TYPE,
    ExportForm,
    ExportFormat,
    ExportWorkbook,
    file_name,
)
from complaints.features.exports.requests import ExportQuery, describe_access
from complaints.features.exports.use_cases import ExportPage, ExportStart
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.feed_cursor import FeedPlace, cursor_at
from complaints.use_cases.complaints.lists import ListPosition
from complaints.use_cases.table_files.csv_text import CSV_TYPE
from complaints.use_cases.table_files.workbook import MOST_ROWS, XLSX_TYPE, temporary_workbook

router = PrefixedRouter(prefix="/exports", tags=["exports"], route_class=StrictRoute)
CURSOR_HEADER = "X-Feed-Cursor"
PAGES_AT_ONCE = 2
"""How many exports of a process read a page at the same time. The others wait, so other requests find threads."""
_PIECE_BYTES = 64 * 1024
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The export",
        "headers": {
            CURSOR_HEADER: {
                "description": "The place in the feed before the first row, as `after` of `GET /v1/changes`.",
                "schema": {"type": "string"},
            }
        },
        "content": {
            CSV_TYPE: {"schema": {"type": "string"}},
            XLSX_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    },
}


class _LinesResponse(JSONResponse):
    """For the description of the API only: the lines are JSON."""

    media_type = NDJSON_TYPE


@dataclass(slots=True)
class _Export:
    """One export on its way: the request, how it is written, where it stands, and its caller as of now."""

    http_request: Request
    request: ApiRequest
    query: ExportQuery
    form: ExportForm
    start: ExportStart
    begun_at: datetime
    caller: Caller
    cursor: str = field(init=False)

    def __post_init__(self) -> None:
        self.cursor = cursor_at(FeedPlace(self.start.number, self.start.mark))

    async def check_access(self) -> None:
        """Find the caller again. Raises Unauthenticated if the key or session ended, Forbidden if a right was lost."""
        found = await find_caller(self.http_request.scope, again=True)
        if not self.request.caller.rights <= found.rights:
            raise Forbidden("The caller lost a right while the export ran.")
        self.caller = found

    async def pages(self) -> AsyncIterator[ExportPage]:
        """The pages, each read in its turn."""
        turns = _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(PAGES_AT_ONCE))
        after: ListPosition | None = None
        while True:
            read = partial(
                use_cases.read_page,
                self.request.service,
                self.caller,
                self.query,
                start=self.start,
                after=after,
            )
            async with turns:
                page = await run_in_threadpool(read)
            yield page
            if page.end is None:
                return
            after = page.end


@router.get(
    "",
    dependencies=[require_right(Right.READ_OWN)],
    response_model=ComplaintExported,
    response_class=_LinesResponse,
    responses={
        **_FILES,
        **refusals(
            bad_request="Unknown filter or field.",
            forbidden="A filter by phone, email, name or account_no, with a key that may not see personal data.",
            invalid_content="A bad value, or more complaints than a sheet of XLSX has rows.",
        ),
    },
)
async def export_complaints(
    request: CurrentRequest, query: Annotated[ExportQuery, Query()], http_request: Request
) -> Response:
    """Every complaint within the scope of the caller that fits the filters, oldest receipt first, as a file.

    The filters are those of `GET /v1/complaints`. Without `fields` and `full` there are no texts and no persons.
    Together with the feed after `X-Feed-Cursor` it has every change at least once. A merged complaint stays in it
    with `merged_into`. An export with persons in clear is an entry of the access log. If it cannot be finished, the
    connection is closed before the end of the body.
    """
    form = query.form(_wanted_format(http_request))
    is_workbook = form.format is ExportFormat.XLSX
    start = await run_in_threadpool(
        use_cases.start_export, request.service, request.caller, query, count=is_workbook
    )
    if is_workbook:
        refuse_too_many(start.count or 0)
    form = form.with_kinds(start.kinds)
    now = http_request.app.state.wall()
    export = _Export(http_request, request, query, form, start, now, request.caller)
    headers = {
        CURSOR_HEADER: export.cursor,
        "Content-Disposition": f'attachment; filename="{file_name(form, now)}"',
        "Vary": "Accept",
    }
    media_type = MEDIA_TYPES[form.format]
    if is_head(http_request.scope):
        return _head(headers, media_type)
    if form.content.has_persons:
        note = describe_access(query, form, http_request.query_params.multi_items())
        await run_in_threadpool(use_cases.log_persons, request.service, request.caller, note)
    pieces = _workbook_pieces(export) if is_workbook else _line_pieces(export)
    return ExportAnswer(pieces, export.check_access, headers=headers, media_type=media_type)


def _wanted_format(http_request: Request) -> ExportFormat:
    """The format that the header `Accept` names; NDJSON if it names none."""
    accept = http_request.headers.get("accept", "")
    return max(ExportFormat, key=lambda one: find_quality(accept, MEDIA_TYPES[one]))


def refuse_too_many(count: int) -> None:
    """Raise InvalidContent if a sheet has too few rows for so many complaints."""
    if count > MOST_ROWS:
        message = (
            f"XLSX has at most {MOST_ROWS} rows below its header, and {count} complaints fit: "
            "take CSV or NDJSON, or narrow the filters"
        )
        raise InvalidContent.in_query("format", message)


def _head(headers: dict[str, str], media_type: str) -> Response:
    answer = Response(headers=headers, media_type=media_type)
    del answer.headers["content-length"]
    return answer


async def _line_pieces(export: _Export) -> AsyncGenerator[bytes, None]:
    header = export.form.header()
    async for page in export.pages():
        lines = header + await run_in_threadpool(export.form.lines, page.complaints)
        for start in range(0, len(lines), _PIECE_BYTES):
            yield lines[start : start + _PIECE_BYTES]
        header = b""


async def _workbook_pieces(export: _Export) -> AsyncGenerator[bytes, None]:
    """The bytes of the workbook. It is made as a whole first, in a file that is deleted at the end."""
    with temporary_workbook(zone=export.form.zone) as book:
        sheets = ExportWorkbook(book, export.form)
        async for page in export.pages():
            await run_in_threadpool(sheets.add, page.complaints)
            refuse_too_many(sheets.rows)
        await run_in_threadpool(partial(sheets.finish, at=export.begun_at, cursor=export.cursor))
        with book.path.open("rb") as file:
            while piece := await run_in_threadpool(file.read, _PIECE_BYTES):
                yield piece
