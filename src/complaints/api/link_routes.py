"""Links between complaints."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from complaints.api import activity_examples as examples
from complaints.api.activity_schemas import LinkQuery
from complaints.api.calls import Call, Shown, needs
from complaints.api.complaint_answers import complaint_answer, described
from complaints.api.edge.strict_route import StrictRoute
from complaints.api.reference_schemas import refusals
from complaints.handling import progress
from complaints.handling.access import Right
from complaints.handling.commands import AddLink
from complaints.storage.database.transactions import Transaction

router = APIRouter(prefix="/complaints", tags=["links"], route_class=StrictRoute)


@router.post(
    "/{reference}/links",
    status_code=201,
    dependencies=[needs(Right.WORK)],
    responses={
        200: described("The complaint; the link was there before"),
        201: described("The complaint with its new link"),
        **refusals(
            forbidden="The key may not work on complaints.",
            not_found="There is no such complaint, or the key may not know of it.",
            idempotency_in_progress="The first request with this Idempotency-Key is still running.",
        ),
    },
)
def add_link(
    call: Call, reference: str, command: Annotated[AddLink, Body(examples=[examples.LINK])]
) -> Response:
    """Link it to another complaint, named by id or number."""

    def work(tx: Transaction) -> Shown:
        complaint, added = progress.add_link(call.engine, tx, call.caller, reference, command)
        return complaint_answer(call, tx, complaint, status=201 if added else 200)

    return call.write(work)


@router.delete(
    "/{reference}/links",
    dependencies=[needs(Right.WORK)],
    responses={
        200: described("The complaint without the link"),
        **refusals(
            bad_request="An unknown parameter.",
            forbidden="The key may not work on complaints.",
            not_found="There is no such link.",
            conflict="The link is that of a merge, which is for good.",
        ),
    },
)
def remove_link(call: Call, reference: str, query: Annotated[LinkQuery, Query()]) -> Response:
    """Take a link away. That of a merge stays."""

    def work(tx: Transaction) -> Shown:
        engine, caller = call.engine, call.caller
        complaint = progress.remove_link(engine, tx, caller, reference, query.type, query.complaint_id)
        return complaint_answer(call, tx, complaint)

    return call.write(work)
