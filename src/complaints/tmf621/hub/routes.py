"""The routes of hubs, for each edition. A hub is a webhook that gets events in the form of the edition."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.domain.errors import InvalidContent, NotFound
from complaints.features.webhooks import use_cases
from complaints.features.webhooks.schemas import CreateWebhook
from complaints.features.webhooks.use_cases import HubForm, Webhook
from complaints.outbound.urls import refuse_unsafe_url
from complaints.tmf621.bodies import check_shape, read_json
from complaints.tmf621.editions import Edition, Members
from complaints.tmf621.hub.hub_queries import read_query
from complaints.tmf621.hub.message_forms import form_name
from complaints.tmf621.hub.schemas import GivenHub, GivenTypedHub
from complaints.tmf621.hub.ticket_events import history_types
from complaints.tmf621.requests import TmfRequest, make_answer, request_of
from complaints.use_cases.access import Right
from complaints.use_cases.once import Answer
from complaints.use_cases.service import Transaction

NAME = "hub"


def make_router(edition: Edition) -> APIRouter:
    """The routes of one edition. Version 4 does not show a hub."""
    router = PrefixedRouter(prefix=f"{edition.path}/{NAME}")
    request_type = Annotated[TmfRequest, request_of(edition)]

    @router.post("")
    async def create(request: request_type) -> Response:
        return await _create(request)

    @router.delete("/{reference}")
    async def delete(request: request_type, reference: str) -> Response:
        return await _delete(request, reference)

    if _is_typed(edition):

        @router.get("/{reference}")
        async def retrieve(request: request_type, reference: str) -> Response:
            return await _retrieve(request, reference)

    return router


def _is_typed(edition: Edition) -> bool:
    """True for version 5, in which hubs name their type and can be read."""
    return edition.name == "v5"


async def _create(request: TmfRequest) -> Response:
    request.caller.require(Right.CONTRIBUTE)
    _, content = await read_json(request.http, ("application/json",))
    sent = check_shape(GivenTypedHub if _is_typed(request.edition) else GivenHub, content)
    command = _command_of(request, sent)
    form = HubForm(form_name(request.edition), sent.query)

    def work(tx: Transaction) -> Answer:
        made = use_cases.create_webhook(request.service, tx, request.caller, command, form)
        return make_answer(201, _hub_json(request, made), {"Location": _href(request, made)})

    return await request.write(work)


def _command_of(request: TmfRequest, sent: GivenHub) -> CreateWebhook:
    """The webhook of a hub. Raises InvalidContent for a callback or a query that cannot be used."""
    try:
        refuse_unsafe_url(sent.callback, request.service.webhook_allow)
    except InvalidContent as refusal:
        raise InvalidContent.at("/callback", str(refusal)) from refusal
    query = read_query(sent.query)
    return CreateWebhook(
        url=sent.callback,
        event_types=history_types(query.events),
        payload="full",
        exclude_actors=() if query.own_changes else None,
    )


async def _retrieve(request: TmfRequest, reference: str) -> Response:
    request.caller.require(Right.CONTRIBUTE)

    def work(tx: Transaction) -> Answer:
        return make_answer(200, _hub_json(request, _load(request, tx, reference)))

    return request.respond(await request.read(work))


async def _delete(request: TmfRequest, reference: str) -> Response:
    request.caller.require(Right.CONTRIBUTE)

    def work(tx: Transaction) -> Answer:
        use_cases.delete_webhook(tx, request.caller, _load(request, tx, reference).id)
        return make_answer(204, None)

    return await request.write(work)


def _load(request: TmfRequest, tx: Transaction, reference: str) -> Webhook:
    """The hub of this edition that the caller may see. Raises NotFound."""
    try:
        found = use_cases.load_webhook(tx, request.caller, UUID(reference))
    except (ValueError, NotFound) as error:
        raise NotFound("There is no such hub.") from error
    if found.format != form_name(request.edition):
        raise NotFound("There is no such hub.")
    return found


def _href(request: TmfRequest, found: Webhook) -> str:
    return f"{request.base}/{NAME}/{found.id}"


def _hub_json(request: TmfRequest, found: Webhook) -> Members:
    hub: Members = {"id": str(found.id), "callback": found.url}
    if found.query is not None:
        hub["query"] = found.query
    if _is_typed(request.edition):
        hub |= {"href": _href(request, found), "@type": "Hub"}
    return hub
