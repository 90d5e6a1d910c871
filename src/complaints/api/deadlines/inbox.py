"""The route of the inbox: complaints and other subjects with escalations that wait for somebody."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.deadlines.escalations import escalation_json
from complaints.api.deadlines.schemas import InboxItem, InboxPage, InboxQuery
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import cut_page, page_of, parse_fields
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.domain.json_text import to_json
from complaints.use_cases.access import Right
from complaints.use_cases.complaints import escalations
from complaints.use_cases.complaints.escalations import InboxPosition
from complaints.use_cases.service import Transaction

router = PrefixedRouter(prefix="/inbox", tags=["escalations"], route_class=StrictRoute)
_CURSOR = "inbox"
_MEMBERS = tuple(name for name in InboxItem.model_fields if name not in ("number", "worst"))


@router.get(
    "",
    dependencies=[require_right(Right.READ_OWN)],
    responses={
        200: {"model": InboxPage, "description": "A page of the inbox"},
        **refusals(bad_request="An unknown filter or field, or a cursor that is not one of this list's."),
    },
)
def list_inbox(request: CurrentRequest, query: Annotated[InboxQuery, Query()]) -> Response:
    """One row for each complaint or other subject with escalations that wait: the worst ones first.

    They are neither acknowledged nor settled. The highest level comes first, then the row that has waited longest.
    """
    fields = parse_fields(query.fields, InboxItem)
    after = position_of(query.cursor) if query.cursor is not None else None

    def work(tx: Transaction) -> Reply:
        rows = escalations.list_inbox(
            request.service,
            tx,
            request.caller,
            recipient=query.recipient,
            team=query.team,
            level_min=query.level_min,
            after=after,
            limit=query.limit + 1,
        )
        shown, cursor = cut_page(rows, query.limit, cursor_of)
        return page_of(map(_item_json, shown), fields, cursor)

    return request.read(work)


def _item_json(row: Mapping[Any, Any]) -> dict[str, Any]:
    shown = {name: to_json(row[name]) for name in _MEMBERS}
    return {**shown, "number": row["owned_by"].number, "worst": escalation_json(row)}


def cursor_of(last: Mapping[Any, Any]) -> dict[str, Any]:
    """The place of a row of the inbox, for a cursor."""
    since = to_json(last["since"])
    return {"kind": _CURSOR, "level": last["level"], "since": since, "id": to_json(last["owner_id"])}


def position_of(cursor: str) -> InboxPosition:
    """The end of the page before. Raises BadRequest for a cursor that this list did not give."""
    position = cursors.decode(cursor, _CURSOR)
    level = cursors.integer_in(position, "level", most=100)
    return InboxPosition(level, cursors.instant_in(position, "since"), cursors.id_in(position, "id"))
