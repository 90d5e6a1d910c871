"""The endpoints of imports. A file is stored at once; the rows are imported in the background."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.http.content_types import read_content_type
from complaints.api.http.csv_lists import ListRoute
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.openapi.example_files import read_examples
from complaints.api.pages import CursorQuery, cut_page, page_of
from complaints.api.problems.languages import Language, language_headers
from complaints.api.problems.refusals import TooManyRequests, UnsupportedMediaType
from complaints.api.problems.translations import say
from complaints.api.request import CallerLanguage, CurrentRequest, Reply, require_right
from complaints.domain.errors import InvalidContent
from complaints.domain.importing.import_file import CSV, NDJSON
from complaints.domain.json_text import to_json
from complaints.use_cases.access import Right
from complaints.use_cases.importing import uploads
from complaints.use_cases.importing.quotas import QuotaUsedUp
from complaints.use_cases.importing.uploads import ImportJob
from complaints.use_cases.service import Transaction


def bytes_for(method: str, path: str) -> int | None:
    """The limit for the body of an import, in bytes, because it is larger than other bodies. Otherwise None."""
    return IMPORT_BYTES if method == "POST" and path == "/v1/imports" else None


router = PrefixedRouter(prefix="/imports", tags=["imports"], route_class=ListRoute)

_ERRORS = "import-errors"
IMPORT_BYTES = 64 * 1024 * 1024
_DRY_RUN = ("dry_run", "dry-run")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def import_json(job: ImportJob) -> dict[str, Any]:
    """The form of an import in the API."""
    members = (
        "id",
        "status",
        "stopped_because",
        "rows",
        "accepted",
        "duplicates",
        "failed",
        "dry_run",
        "created_at",
        "finished_at",
    )
    return {name: to_json(getattr(job, name)) for name in members}


async def read_request(request: Request) -> uploads.ImportRequest:
    """Read the file from the body and the options from the query.

    Raises UnsupportedMediaType if the content type is neither CSV nor NDJSON, and InvalidContent for a wrong
    `dry_run`.
    """
    sent = read_content_type(request.headers.get("content-type", ""))
    if sent.media_type not in (CSV, NDJSON):
        raise UnsupportedMediaType(f"Send the file as Content-Type: {CSV} or {NDJSON}.")
    given = request.query_params
    pairs = [(name, value) for name, value in given.multi_items() if name not in _DRY_RUN]
    return uploads.ImportRequest(
        content=await request.body(),
        media_type=sent.media_type,
        charset=sent.charsets[0] if sent.charsets else None,
        options=tuple(pairs),
        dry_run=_flag([value for name in _DRY_RUN for value in given.getlist(name)]),
        stops_with_key=True,
        quota=request.app.state.import_quota,
    )


def _flag(values: list[str]) -> bool:
    if len(values) > 1 or any(value not in _FLAGS for value in values):
        raise InvalidContent.in_query("dry_run", "dry_run is true or false.")
    return _FLAGS[values[0]] if values else False


class ImportOut(BaseModel):
    """How far an import is. `rows` is how many the file has. A stopped import ended before its last row."""

    model_config = ConfigDict(json_schema_extra={"examples": [read_examples("complaints.api")["import"]]})

    id: UUID
    status: Literal["running", "completed", "stopped"]
    stopped_because: str | None
    rows: int
    accepted: int
    duplicates: int
    failed: int
    dry_run: bool
    created_at: datetime
    finished_at: datetime | None


class RowError(BaseModel):
    """One thing wrong with a row; `pointer` into the complaint it would have been."""

    pointer: str
    message: Annotated[str, Field(description="What is wrong.")]


class RowErrors(BaseModel):
    """A row that failed, by its number in the file, from 1."""

    row: int
    errors: list[RowError]


class RowErrorList(BaseModel):
    """A page of rows that failed."""

    items: list[RowErrors]
    next_cursor: str | None


_FILE = {
    "required": True,
    "content": {
        CSV: {"schema": {"type": "string"}, "example": "channel,subject\nphone,No signal\n"},
        NDJSON: {"schema": {"type": "string"}, "example": '{"channel": "phone", "subject": "No signal"}\n'},
    },
}


@router.post(
    "",
    status_code=202,
    response_model=ImportOut,
    dependencies=[require_right(Right.CREATE)],
    openapi_extra={"requestBody": _FILE},
)
def start_import(
    request: CurrentRequest, upload: Annotated[uploads.ImportRequest, Depends(read_request)]
) -> Response:
    """Import complaints from NDJSON or CSV. Foreign columns are mapped in the query; see docs/imports.md."""
    checked = uploads.check_file(request.caller, upload)  # before the transaction: it takes seconds

    def work(tx: Transaction) -> Reply:
        try:
            job = uploads.start_import(request.service, tx, request.caller, checked)
        except QuotaUsedUp as refusal:
            raise TooManyRequests(refusal.detail, headers=_limit_headers(refusal)) from refusal
        return 202, import_json(job), {"Location": f"/v1/imports/{job.id}"}

    return request.write(work)


def _limit_headers(refusal: QuotaUsedUp) -> dict[str, str]:
    unit = "concurrent-requests" if refusal.limit == "imports" else "content-bytes"
    policy = f'"{refusal.limit}";q={refusal.most};qu="{unit}"'
    return {"RateLimit-Policy": policy, "RateLimit": f'"{refusal.limit}";r=0'}


@router.get("/{import_id}", response_model=ImportOut, dependencies=[require_right(Right.READ_OWN)])
def get_import(request: CurrentRequest, import_id: UUID) -> Response:
    """How far an import is."""
    return request.read(lambda tx: (200, import_json(uploads.load_import(tx, request.caller, import_id)), {}))


@router.get("/{import_id}/errors", response_model=RowErrorList, dependencies=[require_right(Right.READ_OWN)])
def get_import_errors(
    request: CurrentRequest, import_id: UUID, query: Annotated[CursorQuery, Query()], language: CallerLanguage
) -> Response:
    """The rows that failed, by number, with what is wrong."""
    after = 0 if query.cursor is None else cursors.integer_in(cursors.decode(query.cursor, _ERRORS), "row")

    def work(tx: Transaction) -> Reply:
        job = uploads.load_import(tx, request.caller, import_id)
        found = uploads.list_errors(tx, job, after=after, limit=query.limit + 1)
        shown, cursor = cut_page(found, query.limit, lambda last: {"kind": _ERRORS, "row": last["row"]})
        status, page, _ = page_of((_row_errors(row, language) for row in shown), None, cursor)
        return status, page, language_headers(language)

    return request.read(work)


def _row_errors(row: Mapping[Any, Any], language: Language) -> dict[str, Any]:
    errors = [one | {"message": say(one["message"], language)} for one in row["errors"]]
    return {"row": row["row"], "errors": errors}
