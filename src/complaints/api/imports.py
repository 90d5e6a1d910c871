"""The endpoints of imports. A file is stored at once; the rows are imported in the background."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.problems.refusals import UnsupportedMediaType
from complaints.api.request import Call, Shown, needs
from complaints.domain.errors import InvalidContent
from complaints.domain.importing.import_file import CSV, NDJSON
from complaints.domain.json_text import plain
from complaints.storage.rows.import_job import ImportJob, list_errors
from complaints.use_cases import imports
from complaints.use_cases.access import Right
from complaints.use_cases.service import Transaction


def bytes_for(method: str, path: str) -> int | None:
    """The limit for the body of an import, in bytes, because it is larger than other bodies. Otherwise None."""
    return IMPORT_BYTES if method == "POST" and path == "/v1/imports" else None


router = APIRouter(prefix="/imports", tags=["imports"])

_ERRORS = "import-errors"
IMPORT_BYTES = 64 * 1024 * 1024
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def import_json(job: ImportJob) -> dict[str, Any]:
    """The form of an import in the API."""
    members = (
        "id",
        "status",
        "rows",
        "accepted",
        "duplicates",
        "failed",
        "dry_run",
        "created_at",
        "finished_at",
    )
    return {name: plain(getattr(job, name)) for name in members}


async def read_request(request: Request) -> imports.ImportRequest:
    """Read the file from the body and the options from the query.

    Raises UnsupportedMediaType if the content type is neither CSV nor NDJSON, and InvalidContent for a wrong
    `dry_run`.
    """
    media_type, charset = _content_type(request.headers.get("content-type", ""))
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name != "dry_run"]
    return imports.ImportRequest(
        content=await request.body(),
        media_type=media_type,
        charset=charset,
        options=tuple(pairs),
        dry_run=_flag(request.query_params.getlist("dry_run")),
    )


def _content_type(header: str) -> tuple[str, str | None]:
    media_type, *parameters = (part.strip() for part in header.split(";"))
    if media_type.lower() not in (CSV, NDJSON):
        raise UnsupportedMediaType(f"Send the file as Content-Type: {CSV} or {NDJSON}.")
    named = dict(parameter.partition("=")[::2] for parameter in parameters)
    charset = next(
        (value.strip('" ') for name, value in named.items() if name.strip().lower() == "charset"), None
    )
    return media_type.lower(), charset


def _flag(values: list[str]) -> bool:
    if len(values) > 1 or any(value not in _FLAGS for value in values):
        raise InvalidContent.at("/dry_run", "dry_run is true or false.")
    return _FLAGS[values[0]] if values else False


class ImportOut(BaseModel):
    """How far an import is. `rows` is how many the file has."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "01938f6e-5a1c-7c3e-9f5e-0f4d2f1f7a11",
                    "status": "running",
                    "rows": 2224,
                    "accepted": 750,
                    "duplicates": 0,
                    "failed": 1,
                    "dry_run": False,
                    "created_at": "2026-11-22T01:15:00Z",
                    "finished_at": None,
                }
            ]
        }
    )

    id: UUID
    status: Literal["running", "completed"]
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
    message: str


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


class _PageQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str | None = None


@router.post(
    "",
    status_code=202,
    response_model=ImportOut,
    dependencies=[needs(Right.CREATE)],
    openapi_extra={"requestBody": _FILE},
)
def start_import(call: Call, request: Annotated[imports.ImportRequest, Depends(read_request)]) -> Response:
    """Import complaints from NDJSON or CSV. Foreign columns are mapped in the query; see docs/imports.md."""

    def work(tx: Transaction) -> Shown:
        job = imports.start_import(call.service, tx, call.caller, request)
        return 202, import_json(job), {"Location": f"/v1/imports/{job.id}"}

    return call.write(work)


@router.get("/{import_id}", response_model=ImportOut, dependencies=[needs(Right.READ_OWN)])
def get_import(call: Call, import_id: UUID) -> Response:
    """How far an import is."""
    return call.read(lambda tx: (200, import_json(imports.load_import(tx, call.caller, import_id)), {}))


@router.get("/{import_id}/errors", response_model=RowErrorList, dependencies=[needs(Right.READ_OWN)])
def get_import_errors(call: Call, import_id: UUID, query: Annotated[_PageQuery, Query()]) -> Response:
    """The rows that failed, by number, with what is wrong."""
    after = 0 if query.cursor is None else cursors.integer_in(cursors.decode(query.cursor, _ERRORS), "row")

    def work(tx: Transaction) -> Shown:
        imports.load_import(tx, call.caller, import_id)
        found = list_errors(tx, import_id, after=after, limit=query.limit + 1)
        more = len(found) > query.limit
        rows = [{"row": row["row"], "errors": row["errors"]} for row in found[: query.limit]]
        cursor = cursors.encode({"kind": _ERRORS, "row": rows[-1]["row"]}) if more else None
        return 200, {"items": rows, "next_cursor": cursor}, {}

    return call.read(work)
