"""Routes for escalations: list, read, acknowledge."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Query, Request
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.bulk_items import BulkEscalations, show_item
from complaints.api.deadlines.schemas import EscalationOut, EscalationPage, EscalationQuery
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.example_files import read_examples
from complaints.api.pages import cut_page, page_of, parse_fields
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.domain.json_text import to_json
from complaints.use_cases.access import Right
from complaints.use_cases.commands.complaints import Acknowledge
from complaints.use_cases.complaints import escalations
from complaints.use_cases.complaints.bulk_commands import BulkAcknowledge
from complaints.use_cases.complaints.escalations import EscalationSearch
from complaints.use_cases.service import Transaction

_EXAMPLES = read_examples("complaints.api.deadlines")

router = PrefixedRouter(prefix="/escalations", tags=["escalations"], route_class=StrictRoute)
_CURSOR = "escalations"
_FILTERS = tuple(field.name for field in dataclasses.fields(EscalationSearch))
_MEMBERS = tuple(name for name in EscalationOut.model_fields if name not in ("subject", "number"))


def escalation_json(row: Mapping[Any, Any]) -> dict[str, Any]:
    """An escalation as the API shows it."""
    shown = {name: to_json(row[name]) for name in _MEMBERS}
    subject = row["owned_by"]
    return {**shown, "subject": to_json(dataclasses.asdict(subject)), "number": subject.number}


@router.get(
    "",
    dependencies=[require_right(Right.READ_OWN)],
    responses={
        200: {"model": EscalationPage, "description": "A page of escalations"},
        **refusals(bad_request="An unknown filter or field, or a cursor that is not one of this list's."),
    },
)
def list_escalations(request: CurrentRequest, query: Annotated[EscalationQuery, Query()]) -> Response:
    """Escalations, latest first. Level 0 is a reminder. A superseded escalation notified nobody.

    With `acknowledged=false`, settled escalations are left out: their deadline was met, or their complaint has ended.
    `settled=true` lists them.
    """
    before = None
    if query.cursor is not None:
        position = cursors.decode(query.cursor, _CURSOR)
        before = cursors.instant_in(position, "at"), cursors.id_in(position, "id")
    asked = EscalationSearch(**{name: getattr(query, name) for name in _FILTERS})
    fields = parse_fields(query.fields, EscalationOut)

    def work(tx: Transaction) -> Reply:
        rows = escalations.list_escalations(
            request.service, tx, request.caller, asked, before=before, limit=query.limit + 1
        )
        shown, cursor = cut_page(rows, query.limit, _position)
        return page_of(map(escalation_json, shown), fields, cursor)

    return request.read(work)


def _position(last: Mapping[Any, Any]) -> dict[str, Any]:
    return {"kind": _CURSOR, "at": to_json(last["taken_at"]), "id": to_json(last["id"])}


@router.get(
    "/{escalation_id}",
    dependencies=[require_right(Right.READ_OWN)],
    responses={
        200: {"model": EscalationOut, "description": "The escalation"},
        **refusals(not_found="There is no such escalation."),
    },
)
def get_escalation(request: CurrentRequest, escalation_id: UUID) -> Response:
    """One escalation."""

    def work(tx: Transaction) -> Reply:
        return 200, escalation_json(escalations.load_escalation(tx, request.caller, escalation_id)), {}

    return request.read(work)


@router.post(
    "/acknowledge",
    dependencies=[require_right(Right.WORK)],
    responses={
        200: {"model": BulkEscalations, "description": "The result of each escalation"},
        **refusals(
            forbidden="The key may not work on complaints.",
            conflict="Another number of escalations fits the filter than expected_count says. Nothing was done.",
        ),
    },
)
def acknowledge_escalations(
    http_request: Request,
    request: CurrentRequest,
    command: Annotated[BulkAcknowledge, Body(openapi_examples=_EXAMPLES["bulk_acknowledge"])],
) -> Response:
    """Acknowledge up to 500 escalations: a list of ids, or those of a filter that still wait.

    Each has the result of a single call; a refused one stops no other. They are done 50 at a time. Repeated under the
    same `Idempotency-Key`, the call goes on where it ended.
    """
    show = show_item(http_request, "escalation", "/v1/escalations/{}/acknowledge")
    return request.write_in_parts(
        escalations.acknowledge_many(request.service, request.caller, command, show)
    )


@router.post(
    "/{escalation_id}/acknowledge",
    dependencies=[require_right(Right.WORK)],
    responses={
        200: {"model": EscalationOut, "description": "The escalation, acknowledged"},
        **refusals(
            forbidden="The key may not work on complaints, or its user is not a recipient.",
            not_found="There is no such escalation.",
            conflict="It was acknowledged before.",
        ),
    },
)
def acknowledge_escalation(
    request: CurrentRequest,
    escalation_id: UUID,
    command: Annotated[Acknowledge | None, Body(examples=[_EXAMPLES["acknowledge"]])] = None,
) -> Response:
    """Acknowledge an escalation: you take care of it. A step that repeats then repeats no more.

    Recipients, the deputies of absent ones, and administrators may, once. A second call is a conflict.
    """

    def work(tx: Transaction) -> Reply:
        row = escalations.acknowledge(
            request.service, tx, request.caller, escalation_id, command or Acknowledge()
        )
        return 200, escalation_json(row), {}

    return request.write(work)
