"""Routes for follow-ups: the contacts that are due, by day and owner."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.complaints.json_shapes import person_json
from complaints.api.deadlines.schemas import FollowUpOut, FollowUpPage, FollowUpQuery
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import parse_fields, pick_fields
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.domain.complaint.numbers import number_of
from complaints.domain.json_text import plain
from complaints.use_cases.access import Right
from complaints.use_cases.complaints import follow_ups
from complaints.use_cases.complaints.follow_ups import FollowUp, FollowUpFilter, FollowUpPosition
from complaints.use_cases.service import Transaction

router = APIRouter(prefix="/followups", tags=["follow-ups"], route_class=StrictRoute)
_CURSOR = "followups"
_MEMBERS = (
    "deadline_id", "complaint_id", "subject", "priority", "sequence", "attempt", "due_at", "overdue", "owner",
    "team",
)  # fmt: skip


def follow_up_json(contact: FollowUp) -> dict[str, Any]:
    """A due contact as the API shows it."""
    return {
        **{name: plain(getattr(contact, name)) for name in _MEMBERS},
        "number": number_of(contact.complaint_sequence),
        "day": contact.day_on.isoformat(),
        "complainant": person_json(contact.complainant) if contact.complainant else None,
    }


@router.get(
    "",
    dependencies=[require_right(Right.READ_OWN)],
    responses={
        200: {"model": FollowUpPage, "description": "A page of contacts"},
        **refusals(bad_request="An unknown filter or field, or a cursor that is not one of this list's."),
    },
)
def list_follow_ups(request: CurrentRequest, query: Annotated[FollowUpQuery, Query()]) -> Response:
    """Follow-up contacts still to be made, earliest due first."""
    after = None if query.cursor is None else _place(query.cursor)
    wanted = FollowUpFilter(
        due_from=query.due_from,
        due_to=query.due_to,
        owner=query.owner,
        team=query.team,
        overdue=query.overdue,
    )
    fields = parse_fields(query.fields, FollowUpOut)

    def work(tx: Transaction) -> Reply:
        found = follow_ups.list_follow_ups(
            request.service, tx, request.caller, wanted, day_on=query.day, after=after, limit=query.limit + 1
        )
        page = found[: query.limit]
        following = _cursor(page[-1]) if len(found) > query.limit else None
        items = [pick_fields(follow_up_json(contact), fields) for contact in page]
        return 200, {"items": items, "next_cursor": following}, {}

    return request.read(work)


def _cursor(last: FollowUp) -> str:
    place = {"due": plain(last.due_at), "complaint": plain(last.complaint_id), "id": plain(last.deadline_id)}
    return cursors.encode({"kind": _CURSOR, **place})


def _place(cursor: str) -> FollowUpPosition:
    position = cursors.decode(cursor, _CURSOR)
    return (
        cursors.instant_in(position, "due"),
        cursors.id_in(position, "complaint"),
        cursors.id_in(position, "id"),
    )
