"""Routes for promises to the complainant: make, keep, list."""

from typing import Annotated
from uuid import UUID

from fastapi import Body
from starlette.responses import Response

from complaints.api.complaints.json_shapes import promise_json
from complaints.api.complaints.promise_schemas import PromiseList, PromiseOut
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.example_files import read_examples
from complaints.api.pages import page_of
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.use_cases.access import Right
from complaints.use_cases.commands.complaints import MakePromise
from complaints.use_cases.complaints import promises
from complaints.use_cases.service import Transaction

_EXAMPLES = read_examples("complaints.api.complaints")

router = PrefixedRouter(prefix="/complaints", tags=["promises"], route_class=StrictRoute)


@router.get(
    "/{reference}/promises",
    dependencies=[require_right(Right.READ_OWN)],
    responses={
        200: {"model": PromiseList, "description": "Its promises"},
        **refusals(not_found="There is no such complaint, or the key may not know of it."),
    },
)
def list_promises(request: CurrentRequest, reference: str) -> Response:
    """Every promise of a complaint, in the order they were made."""

    def work(tx: Transaction) -> Reply:
        found = promises.list_promises(tx, request.caller, reference)
        return page_of((promise_json(*one) for one in found), None, None)

    return request.read(work)


@router.post(
    "/{reference}/promises",
    status_code=201,
    dependencies=[require_right(Right.WORK)],
    responses={
        201: {"model": PromiseOut, "description": "The promise"},
        **refusals(
            forbidden="The key may not work on complaints.",
            not_found="There is no such complaint, or the key may not know of it.",
            conflict="The complaint has ended.",
        ),
    },
)
def make_promise(
    request: CurrentRequest,
    reference: str,
    command: Annotated[MakePromise, Body(examples=[_EXAMPLES["make_promise"]])],
) -> Response:
    """Record a promise to the complainant. It has a deadline of its own; an open one refuses `close`."""

    def work(tx: Transaction) -> Reply:
        made = promises.make_promise(request.service, tx, request.caller, reference, command)
        return 201, promise_json(*made), {}

    return request.write(work)


@router.post(
    "/{reference}/promises/{promise_id}/keep",
    dependencies=[require_right(Right.WORK)],
    responses={
        200: {"model": PromiseOut, "description": "The promise, kept"},
        **refusals(
            forbidden="The key may not work on complaints.",
            not_found="The complaint has no such promise.",
            conflict="It was kept or cancelled before.",
        ),
    },
)
def keep_promise(request: CurrentRequest, reference: str, promise_id: UUID) -> Response:
    """Mark a promise as kept; where it was due before, it is kept late."""

    def work(tx: Transaction) -> Reply:
        kept = promises.keep_promise(request.service, tx, request.caller, reference, promise_id)
        return 200, promise_json(*kept), {}

    return request.write(work)
