"""Routes for links between complaints."""

from typing import Annotated

from fastapi import Body, Query
from starlette.responses import Response

from complaints.api.complaints.answers import complaint_answer, described
from complaints.api.complaints.history_schemas import LinkQuery
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.example_files import read_examples
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.use_cases.access import Right
from complaints.use_cases.commands.complaints import AddLink
from complaints.use_cases.complaints import notes_and_links
from complaints.use_cases.service import Transaction

_EXAMPLES = read_examples("complaints.api.complaints")

router = PrefixedRouter(prefix="/complaints", tags=["links"], route_class=StrictRoute)


@router.post(
    "/{reference}/links",
    status_code=201,
    dependencies=[require_right(Right.WORK)],
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
    request: CurrentRequest,
    reference: str,
    command: Annotated[AddLink, Body(examples=[_EXAMPLES["add_link"]])],
) -> Response:
    """Link a complaint to another one, which is named by its id or its number."""

    def work(tx: Transaction) -> Reply:
        complaint, added = notes_and_links.add_link(request.service, tx, request.caller, reference, command)
        return complaint_answer(request, tx, complaint, status=201 if added else 200)

    return request.write(work)


@router.delete(
    "/{reference}/links",
    dependencies=[require_right(Right.WORK)],
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
def remove_link(request: CurrentRequest, reference: str, query: Annotated[LinkQuery, Query()]) -> Response:
    """Remove a link between two complaints. That of a merge stays."""

    def work(tx: Transaction) -> Reply:
        service, caller = request.service, request.caller
        complaint = notes_and_links.remove_link(
            service, tx, caller, reference, query.type, query.complaint_id
        )
        return complaint_answer(request, tx, complaint)

    return request.write(work)
