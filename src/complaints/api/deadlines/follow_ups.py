"""Routes for follow-ups: the contacts that are due, by day and owner."""

from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.complaints.json_shapes import person_json
from complaints.api.deadlines.schemas import FollowUpOut, FollowUpPage, FollowUpQuery
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import cut_page, page_of, parse_fields
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, note_persons, require_right
from complaints.domain.complaint.numbers import number_of
from complaints.domain.json_text import to_json
from complaints.use_cases.access import Right
from complaints.use_cases.complaints import follow_ups
from complaints.use_cases.complaints.follow_ups import FollowUp, FollowUpFilter, FollowUpPosition
from complaints.use_cases.service import Transaction

router = PrefixedRouter(prefix="/followups", tags=["follow-ups"], route_class=StrictRoute)
_CURSOR = "followups"
_MEMBERS = (
    "deadline_id", "complaint_id", "subject", "priority", "sequence", "attempt", "due_at", "overdue", "owner",
    "team",
)  # fmt: skip


def follow_up_json(contact: FollowUp) -> dict[str, Any]:
    """A due contact as the API shows it."""
    return {
        **{name: to_json(getattr(contact, name)) for name in _MEMBERS},
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
def list_follow_ups(
    http_request: Request, request: CurrentRequest, query: Annotated[FollowUpQuery, Query()]
) -> Response:
    """Follow-up contacts still to be made, earliest due first."""
    after = None if query.cursor is None else read_position(query.cursor)
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
        shown, cursor = cut_page(found, query.limit, _position)
        if fields is None or "complainant" in fields:
            note_persons(http_request.scope, (one.complaint_id for one in shown if one.in_clear))
        return page_of(map(follow_up_json, shown), fields, cursor)

    return request.read(work)


def write_position(last: FollowUp) -> str:
    """The cursor behind a contact."""
    return cursors.encode(_position(last))


def _position(last: FollowUp) -> dict[str, Any]:
    return {
        "kind": _CURSOR,
        "due": to_json(last.due_at),
        "complaint": to_json(last.complaint_id),
        "id": to_json(last.deadline_id),
    }


def read_position(cursor: str) -> FollowUpPosition:
    """The place that a cursor names. Raises BadRequest for another text."""
    position = cursors.decode(cursor, _CURSOR)
    return (
        cursors.instant_in(position, "due"),
        cursors.id_in(position, "complaint"),
        cursors.id_in(position, "id"),
    )
