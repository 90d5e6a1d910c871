"""Routes for one action or one note on many complaints."""

from typing import Annotated, Any

from fastapi import Body, Request
from starlette.responses import Response

from complaints.api.bulk_items import BulkItems, show_item
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.example_files import read_examples
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, require_right
from complaints.use_cases.access import Right
from complaints.use_cases.commands.complaints import AddNote
from complaints.use_cases.complaints.bulk_actions import add_note_to_many, take_action_on_many
from complaints.use_cases.complaints.bulk_commands import BulkNotes, BulkTransition

_EXAMPLES = read_examples("complaints.api.complaints")

router = PrefixedRouter(prefix="/complaints", tags=["complaints"], route_class=StrictRoute)
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": BulkItems, "description": "The result of each complaint"},
    **refusals(
        forbidden="The key may not work on complaints, or not filter by personal data.",
        conflict="Another number of complaints fits the filter than expected_count says. Nothing was done.",
    ),
}


@router.post("/bulk-transitions", dependencies=[require_right(Right.WORK)], responses=_RESPONSES)
def take_bulk_action(
    http_request: Request,
    request: CurrentRequest,
    command: Annotated[BulkTransition, Body(openapi_examples=_EXAMPLES["bulk_transitions"])],
) -> Response:
    """Take one action on up to 500 complaints. Each has the result of a single call; a refused one stops no other.

    They are done 50 at a time. Repeated under the same `Idempotency-Key`, the call goes on where it ended.
    `If-Match` does not apply.
    """
    show = show_item(http_request, "complaint", "/v1/complaints/{}/transitions")
    return request.write_in_parts(
        take_action_on_many(request.service, request.caller, command, command.transition(), show)
    )


@router.post("/bulk-notes", dependencies=[require_right(Right.WORK)], responses=_RESPONSES)
def add_bulk_note(
    http_request: Request,
    request: CurrentRequest,
    command: Annotated[BulkNotes, Body(openapi_examples=_EXAMPLES["bulk_notes"])],
) -> Response:
    """Add one note to up to 500 complaints, as `bulk-transitions` takes an action."""
    show = show_item(http_request, "complaint", "/v1/complaints/{}/notes")
    note = AddNote(text=command.text, visibility=command.visibility)
    return request.write_in_parts(add_note_to_many(request.service, request.caller, command, note, show))
