"""The routes of trouble tickets, for each edition."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.domain.json_text import encode
from complaints.tmf621.bodies import check_shape, read_json
from complaints.tmf621.editions import Edition
from complaints.tmf621.queries.fields import pick_fields
from complaints.tmf621.queries.reading import read_fields
from complaints.tmf621.requests import TmfRequest, make_answer, request_of
from complaints.tmf621.tickets.changing import patch_ticket, read_patch
from complaints.tmf621.tickets.creating import create_ticket
from complaints.tmf621.tickets.deleting import delete_ticket
from complaints.tmf621.tickets.lists import list_tickets, read_list_query
from complaints.tmf621.tickets.loading import load_ticket, note_persons_of
from complaints.tmf621.tickets.representation import NAME, ticket_json
from complaints.tmf621.tickets.schemas import NewTicket
from complaints.use_cases.access import Right
from complaints.use_cases.complaints.ticket_lists import KeptCounts
from complaints.use_cases.once import Answer
from complaints.use_cases.service import Transaction


def make_router(edition: Edition) -> APIRouter:
    """The routes of one edition."""
    router = PrefixedRouter(prefix=f"{edition.path}/{NAME}")
    request_type = Annotated[TmfRequest, request_of(edition)]
    counts = KeptCounts()

    @router.get("")
    async def list_all(request: request_type) -> Response:
        return await _list(request, counts)

    @router.post("")
    async def create(request: request_type) -> Response:
        return await _create(request)

    @router.get("/{reference}")
    async def retrieve(request: request_type, reference: str) -> Response:
        return await _retrieve(request, reference)

    @router.patch("/{reference}")
    async def patch(request: request_type, reference: str) -> Response:
        return await _patch(request, reference)

    @router.delete("/{reference}")
    async def delete(request: request_type, reference: str) -> Response:
        return await _delete(request, reference)

    return router


async def _patch(request: TmfRequest, reference: str) -> Response:
    """The answer is read after the commit, because the history is complete only then."""
    request.caller.require(Right.CONTRIBUTE)
    media_type, content = await read_json(request.http, request.edition.patch_types)
    patch = read_patch(media_type, content, request.edition, request.caller.source)
    fields = read_fields(request.http.scope["query_string"])
    await patch_ticket(request, reference, patch)
    return request.respond(await request.read(lambda tx: _shown(request, tx, reference, fields)))


async def _delete(request: TmfRequest, reference: str) -> Response:
    request.caller.require(Right.CONTRIBUTE)

    def work(tx: Transaction) -> Answer:
        delete_ticket(request, tx, reference)
        return make_answer(204, None)

    return await request.write(work)


async def _list(request: TmfRequest, counts: KeptCounts) -> Response:
    request.caller.require(Right.READ_OWN)
    query = read_list_query(request)
    return request.respond(await request.read(lambda tx: list_tickets(request, tx, query, counts)))


async def _create(request: TmfRequest) -> Response:
    request.caller.require(Right.CREATE)
    fields = read_fields(request.http.scope["query_string"])
    _, content = await read_json(request.http, ("application/json",))
    ticket = check_shape(NewTicket, request.edition.read_new(content))
    answer = await create_ticket(request, ticket)
    if fields is not None:
        answer = replace(answer, body=encode(pick_fields(json.loads(answer.body), fields)))
    return request.respond(answer)


async def _retrieve(request: TmfRequest, reference: str) -> Response:
    request.caller.require(Right.READ_OWN)
    fields = read_fields(request.http.scope["query_string"])
    return request.respond(await request.read(lambda tx: _shown(request, tx, reference, fields)))


def _shown(request: TmfRequest, tx: Transaction, reference: str, fields: Sequence[str] | None) -> Answer:
    """The ticket with the members that `fields` names; None: all."""
    found = load_ticket(request.service, tx, request.caller, reference)
    note_persons_of(request, [found])
    shown = request.edition.show(ticket_json(found, request.base), request.caller.source)
    return make_answer(200, pick_fields(shown, fields))
