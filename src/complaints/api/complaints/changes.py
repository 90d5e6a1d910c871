"""The route for the feed: the events of all complaints."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.complaints.history_schemas import ChangesPage, ChangesQuery, EventOut
from complaints.api.complaints.timeline import event_json
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import page_of, parse_fields
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.use_cases.access import Right
from complaints.use_cases.complaints import history
from complaints.use_cases.service import Transaction

router = APIRouter(prefix="/changes", tags=["history"], route_class=StrictRoute)
_CURSOR = "changes"


@router.get(
    "",
    dependencies=[require_right(Right.READ_OWN)],
    responses={
        200: {"model": ChangesPage, "description": "The events that follow"},
        **refusals(bad_request="An unknown parameter or field, or a cursor that this feed did not give."),
    },
)
def list_changes(request: CurrentRequest, query: Annotated[ChangesQuery, Query()]) -> Response:
    """Every event of all complaints in commit order.

    Ask again with `after` = `next_cursor`: nothing is left out, nothing comes twice.
    """
    after = cursors.integer_in(cursors.decode(query.after, _CURSOR), "after") if query.after else 0
    fields = parse_fields(query.fields, EventOut)

    def work(tx: Transaction) -> Reply:
        found, seen = history.changes(tx, request.caller, after=after, limit=query.limit)
        return page_of(map(event_json, found), fields, cursors.encode({"kind": _CURSOR, "after": seen}))

    return request.read(work)
