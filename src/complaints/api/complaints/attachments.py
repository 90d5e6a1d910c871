"""Routes for attachments: upload, list, download. Bytes are streamed both ways, and are never shown as a page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.complaints.file_threads import FileThreads, StreamedFile
from complaints.api.http.content_types import read_content_type
from complaints.api.http.file_names import attachment_header, read_file_name
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.example_files import read_examples
from complaints.api.openapi.models import AnswerModel, Id
from complaints.api.pages import CursorQuery, cut_page, page_of
from complaints.api.problems.refusals import UnsupportedMediaType
from complaints.api.problems.schemas import refusals
from complaints.api.request import (
    ApiRequest,
    CurrentRequest,
    Reply,
    make_attempt,
    note_persons,
    read_idempotency_key,
    read_request_head,
    require_right,
)
from complaints.domain.json_text import to_json
from complaints.domain.vocabulary import AttachmentStatus, Visibility
from complaints.use_cases.access import Right
from complaints.use_cases.attachments import reading
from complaints.use_cases.attachments.adding import NewAttachment, Upload, begin_upload
from complaints.use_cases.attachments.reading import Attachment
from complaints.use_cases.service import Service, Transaction

_CURSOR = "attachments"
_EXAMPLES = read_examples("complaints.api.complaints")
_BUFFERED = 256 * 1024  # the bytes that are written at once
_ANY_FILE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_NOT_FOUND = "There is no such complaint, or the key may not know of it."
_DOWNLOAD = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
    "Accept-Ranges": "none",
}

router = PrefixedRouter(prefix="/complaints", tags=["attachments"], route_class=StrictRoute)


class AttachmentOut(AnswerModel):
    """An attachment, without its bytes."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLES["attachment"]]})

    id: Annotated[Id, Field(description="The id of the attachment.")]
    name: Annotated[
        str | None,
        Field(description="The name of the file, as it was sent. `***`: it is internal. null: erased."),
    ]
    media_type: Annotated[str, Field(description="The media type that the sender named, without parameters.")]
    size: Annotated[int, Field(description="The number of its bytes.")]
    sha256: Annotated[str, Field(description="The SHA-256 of its bytes, in hexadecimal.")]
    status: Annotated[
        AttachmentStatus,
        Field(
            description="`unscanned`: there is no scanner. `quarantined`: the scanner has not answered, or found "
            "something."
        ),
    ]
    visibility: Annotated[
        Visibility, Field(description="`internal`: for staff alone. `public`: for the poster too.")
    ]
    created_at: AwareDatetime
    added_by: Annotated[str, Field(description="Who added it, as `user:li.wei` or `key:crm`.")]
    scanned_at: Annotated[AwareDatetime | None, Field(description="When the scanner answered.")]
    finding: Annotated[str | None, Field(description="What the scanner found; null: nothing.")]
    erased_at: Annotated[AwareDatetime | None, Field(description="When name and bytes were erased.")]


class AttachmentList(AnswerModel):
    """A page of attachments."""

    items: list[AttachmentOut]
    next_cursor: str | None


class UploadQuery(BaseModel):
    """For whom a new attachment is."""

    model_config = ConfigDict(extra="forbid")

    visibility: Annotated[
        Visibility | None,
        Field(description="`internal`: for staff alone; the default of staff. `public`: for the poster too."),
    ] = None


def bytes_for(method: str, path: str, *, most: int) -> int | None:
    """The limit for the body of an upload, `most` bytes. None for another call at a path with the same end."""
    return most if method == "POST" and path.startswith("/v1/complaints/") else None


HeadRequest = Annotated[ApiRequest, Depends(read_request_head)]


@router.post(
    "/{reference}/attachments",
    status_code=201,
    dependencies=[require_right(Right.CONTRIBUTE)],
    openapi_extra={
        "requestBody": {"required": True, "content": _ANY_FILE},
        "parameters": [
            {
                "name": "Content-Disposition",
                "in": "header",
                "required": True,
                "schema": {"type": "string", "pattern": r"^attachment; *filename\*?=.+$"},
                "example": "attachment; filename*=UTF-8''bill%20July.jpg",
            }
        ],
    },
    responses={
        201: {"model": AttachmentOut, "description": "The attachment"},
        **refusals(
            forbidden="The key may not add to complaints.",
            not_found=_NOT_FOUND,
            conflict="The complaint has as many attachments, or bytes of them, as it may have.",
            payload_too_large="The file is larger than one attachment may be.",
            unsupported_media_type="There is no Content-Type, or attachments of this type are not taken.",
            service_unavailable="The store of attachments is full, or cannot be reached.",
        ),
    },
)
async def upload_attachment(
    http_request: Request, request: HeadRequest, reference: str, query: Annotated[UploadQuery, Query()]
) -> Response:
    """Add a file to a complaint. The body is the file itself, its type and its name stand in the headers.

    `Content-Type` is that of the file, such as `image/jpeg`.
    """
    threads: FileThreads = http_request.app.state.file_threads
    file = _read_file_head(http_request, query.visibility)
    begin = partial(begin_upload, request.service, request.caller, reference, file)
    async with _closed_at_end(threads, await threads.run(begin)) as upload:
        await _receive(http_request, upload, threads)
        await threads.run(upload.finish)
        return await threads.run(partial(_record, _identified(request, http_request, upload, file), upload))


def _read_file_head(request: Request, visibility: Visibility | None) -> NewAttachment:
    """Read name and media type. Raises InvalidContent and UnsupportedMediaType."""
    sent = read_content_type(request.headers.get("content-type", ""))
    if not sent.media_type or sent.media_type.startswith("multipart/"):
        raise UnsupportedMediaType("Send the file itself as the body, with its own Content-Type.")
    name = read_file_name(request.headers.getlist("content-disposition"))
    return NewAttachment(name, sent.media_type, visibility)


@asynccontextmanager
async def _closed_at_end(threads: FileThreads, upload: Upload) -> AsyncIterator[Upload]:
    try:
        yield upload
    except BaseException as error:
        await threads.run_to_end(partial(upload.close, error))
        raise
    await threads.run_to_end(upload.close)


async def _receive(request: Request, upload: Upload, threads: FileThreads) -> None:
    """Write the body as it arrives. Raises ClientDisconnect if the client leaves before its end."""
    gathered = bytearray()
    async for part in request.stream():
        gathered += part
        if len(gathered) >= _BUFFERED:
            await threads.run(partial(upload.write, bytes(gathered)))
            gathered.clear()
    if gathered:
        await threads.run(partial(upload.write, bytes(gathered)))


def _identified(
    request: ApiRequest, http_request: Request, upload: Upload, file: NewAttachment
) -> ApiRequest:
    """The request with its attempt, which needs the digest of the whole body."""
    key = read_idempotency_key(http_request.scope)
    if key is None:
        return request
    content = b"\n".join((upload.digest, file.media_type.encode(), file.name.encode()))
    return replace(request, attempt=make_attempt(http_request.scope, key, content))


def _record(request: ApiRequest, upload: Upload) -> Response:
    """Record the upload. A repeated request gets its first answer, and its bytes are not kept."""

    def work(tx: Transaction) -> Reply:
        added = upload.record(tx)
        location = f"/v1/complaints/{added.complaint_id}/attachments/{added.id}"
        return 201, _attachment_json(added), {"Location": location}

    answer = request.write(work)
    return answer if "Idempotency-Replayed" in answer.headers else upload.keep(answer)


def _attachment_json(one: Attachment) -> dict[str, Any]:
    facts = {**asdict(one), "sha256": one.digest.hex()}
    return {name: to_json(facts[name]) for name in AttachmentOut.model_fields}


@router.get(
    "/{reference}/attachments",
    dependencies=[require_right(Right.READ_OWN)],
    responses={
        200: {"model": AttachmentList, "description": "A page of its attachments"},
        **refusals(
            bad_request="An unknown parameter, or a cursor that is not one of this list's.",
            not_found=_NOT_FOUND,
        ),
    },
)
def list_attachments(
    request: CurrentRequest, reference: str, query: Annotated[CursorQuery, Query()]
) -> Response:
    """List the attachments of a complaint, oldest first."""
    after = None if query.cursor is None else cursors.id_in(cursors.decode(query.cursor, _CURSOR), "id")

    def work(tx: Transaction) -> Reply:
        found = reading.list_attachments(tx, request.caller, reference, after=after, limit=query.limit + 1)
        shown, cursor = cut_page(found, query.limit, lambda last: {"kind": _CURSOR, "id": to_json(last.id)})
        return page_of(map(_attachment_json, shown), None, cursor)

    return request.read(work)


@router.get(
    "/{reference}/attachments/{attachment_id}",
    dependencies=[require_right(Right.SEE_PERSONS)],
    response_class=Response,
    responses={
        200: {
            "description": "The bytes. No browser shows them as a page",
            "content": _ANY_FILE,
            "headers": {
                "ETag": {"description": "The SHA-256 of the bytes.", "schema": {"type": "string"}},
                "Content-Disposition": {
                    "description": "The name of the file, made safe.",
                    "schema": {"type": "string"},
                },
            },
        },
        304: {"description": "`If-None-Match` has the digest of these bytes"},
        **refusals(
            forbidden="The key may not see persons, or the attachment is internal.",
            not_found="There is no such attachment, or it was erased, or the key may not know of it.",
            attachment_quarantined="The scanner has not answered yet, or found something.",
            service_unavailable="The store of attachments cannot be reached.",
        ),
    },
)
async def download_attachment(
    http_request: Request, request: CurrentRequest, reference: str, attachment_id: UUID
) -> Response:
    """Get the bytes of an attachment. Byte ranges are not offered."""
    threads: FileThreads = http_request.app.state.file_threads
    service = request.service

    def find(tx: Transaction) -> Attachment:
        return reading.load_attachment(tx, request.caller, reference, attachment_id)

    found = await threads.run(partial(service.read, find))
    note_persons(http_request.scope, [found.complaint_id])
    headers = {**_DOWNLOAD, "ETag": f'"{found.digest.hex()}"'}
    if _is_known(http_request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return await _send_bytes(threads, service, found, headers)


async def _send_bytes(
    threads: FileThreads, service: Service, found: Attachment, headers: dict[str, str]
) -> Response:
    assert found.name is not None  # an erased one is not found
    parts = await threads.run(partial(service.attachments.blobs.read, found.id))
    sent = {
        **headers,
        "Content-Disposition": attachment_header(found.name),
        "Content-Length": str(found.size),
    }
    return StreamedFile(threads, parts, parts.close, sent)


def _is_known(if_none_match: str, etag: str) -> bool:
    """True if the header `If-None-Match` names the entity tag, or any."""
    named = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return etag in named or "*" in named
