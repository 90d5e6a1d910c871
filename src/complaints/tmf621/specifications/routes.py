"""The routes of specifications. Version 5 alone has them."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter
from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.problems.languages import Language, language_headers, language_of
from complaints.tmf621.bodies import check_shape, read_json
from complaints.tmf621.editions import Edition
from complaints.tmf621.queries.fields import pick_fields
from complaints.tmf621.queries.reading import read_fields, read_query
from complaints.tmf621.requests import TmfRequest, make_answer, request_of
from complaints.tmf621.specifications.changes import plan_change, read_patch
from complaints.tmf621.specifications.lists import GRAMMAR, SpecificationPage, choose_page
from complaints.tmf621.specifications.representation import NAME, retires, specification_json, to_kept
from complaints.tmf621.specifications.schemas import NewSpecification
from complaints.use_cases.access import Right
from complaints.use_cases.configuration.ticket_specifications import (
    TicketSpecification,
    change_specification,
    create_specification,
    delete_specification,
    list_specifications,
    load_specification,
)
from complaints.use_cases.once import Answer
from complaints.use_cases.service import Transaction


def make_router(edition: Edition) -> APIRouter:
    """The routes of one edition."""
    router = PrefixedRouter(prefix=f"{edition.path}/{NAME}")
    request_type = Annotated[TmfRequest, request_of(edition)]

    @router.get("")
    async def list_all(request: request_type) -> Response:
        return await _list(request)

    @router.post("")
    async def create(request: request_type) -> Response:
        return await _create(request)

    @router.get("/{code}")
    async def retrieve(request: request_type, code: str) -> Response:
        return await _retrieve(request, code)

    @router.patch("/{code}")
    async def change(request: request_type, code: str) -> Response:
        return await _change(request, code)

    @router.delete("/{code}")
    async def delete(request: request_type, code: str) -> Response:
        return await _delete(request, code)

    return router


async def _list(request: TmfRequest) -> Response:
    request.caller.require(Right.READ_OWN)
    query = read_query(request.http.scope["query_string"], GRAMMAR)
    language = language_of(request.http.scope)

    def work(tx: Transaction) -> Answer:
        known = list_specifications(request.service, tx)
        page = choose_page([specification_json(one, request.base, language) for one in known], query)
        items = [pick_fields(one, query.fields) for one in page.items]
        counts = {"X-Total-Count": str(page.total), "X-Result-Count": str(len(items))}
        return make_answer(200, items, {**counts, **_links(request, page), **language_headers(language)})

    return request.respond(await request.read(work))


def _links(request: TmfRequest, page: SpecificationPage) -> Mapping[str, str]:
    """The header `Link` with the pages around a page (RFC 8288)."""
    sent = parse_qsl(request.http.scope["query_string"].decode("latin-1"), encoding="utf-8")
    kept = [(name, value) for name, value in sent if name not in ("offset", "before", "after")]
    links = [
        f'<{request.base}/{NAME}?{urlencode([*kept, (name, cursor)])}>; rel="{rel}"'
        for name, cursor, rel in (("after", page.after, "next"), ("before", page.before, "prev"))
        if cursor is not None
    ]
    return {"Link": ", ".join(links)} if links else {}


async def _create(request: TmfRequest) -> Response:
    request.caller.require(Right.CONFIGURE)
    fields = read_fields(request.http.scope["query_string"])
    _, content = await read_json(request.http, ("application/json",))
    given = check_shape(NewSpecification, content)
    is_active = given.lifecycle_status is None or not retires(given.lifecycle_status)

    def work(tx: Transaction) -> Answer:
        made = create_specification(
            request.service, tx, request.caller, given.name, is_active=is_active, members=to_kept(given)
        )
        return _shown(request, made, fields, status=201)

    return await request.configure(work)


async def _retrieve(request: TmfRequest, code: str) -> Response:
    request.caller.require(Right.READ_OWN)
    fields = read_fields(request.http.scope["query_string"])

    def work(tx: Transaction) -> Answer:
        return _shown(request, load_specification(request.service, tx, code), fields)

    return request.respond(await request.read(work))


async def _change(request: TmfRequest, code: str) -> Response:
    request.caller.require(Right.CONFIGURE)
    fields = read_fields(request.http.scope["query_string"])
    media_type, content = await read_json(request.http, request.edition.patch_types)
    plan = plan_change(read_patch(media_type, content), language_of(request.http.scope))

    def work(tx: Transaction) -> Answer:
        changed = change_specification(request.service, tx, request.caller, code, plan)
        return _shown(request, changed, fields)

    return await request.configure(work)


async def _delete(request: TmfRequest, code: str) -> Response:
    request.caller.require(Right.CONFIGURE)

    def work(tx: Transaction) -> Answer:
        delete_specification(request.service, tx, request.caller, code)
        return make_answer(204, None)

    return await request.configure(work)


def _shown(
    request: TmfRequest, one: TicketSpecification, fields: tuple[str, ...] | None, *, status: int = 200
) -> Answer:
    language: Language = language_of(request.http.scope)
    shown = specification_json(one, request.base, language)
    location = {"Location": str(shown["href"])} if status == 201 else {}
    return make_answer(status, pick_fields(shown, fields), {**location, **language_headers(language)})
