"""Routes for the history of one complaint, and for the notes that users add to it."""

from operator import attrgetter
from typing import Annotated, Any

from fastapi import Body, Query
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.complaints.history_schemas import EventOut, EventPage, TimelineQuery
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.example_files import read_examples
from complaints.api.pages import cut_page, page_of, parse_fields
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.use_cases.access import Right
from complaints.use_cases.commands.complaints import AddNote
from complaints.use_cases.complaints import history
from complaints.use_cases.complaints.history import EventRecord
from complaints.use_cases.service import Transaction

_EXAMPLES = read_examples("complaints.api.complaints")

router = PrefixedRouter(prefix="/complaints", tags=["history"], route_class=StrictRoute)
_CURSOR = "timeline"
_MEMBERS = tuple(EventOut.model_fields)
_values = attrgetter(*_MEMBERS)


def event_json(record: EventRecord) -> dict[str, Any]:
    """An event as the API shows it."""
    return dict(zip(_MEMBERS, _values(record), strict=True))


@router.get(
    "/{reference}/timeline",
    dependencies=[require_right(Right.READ_OWN)],
    responses={
        200: {"model": EventPage, "description": "A page of the history"},
        **refusals(
            bad_request="An unknown filter or field, or a cursor that is not one of this list's.",
            not_found="There is no such complaint, or the key may not know of it.",
        ),
    },
)
def get_timeline(
    request: CurrentRequest, reference: str, query: Annotated[TimelineQuery, Query()]
) -> Response:
    """Every event of a complaint, oldest first: who, when, what changed.

    Ordinals begin with 1. A history whose first months were detached begins with a higher one, or is empty.
    """
    after = 0
    if query.cursor is not None:
        after = cursors.integer_in(cursors.decode(query.cursor, _CURSOR), "after", most=2**31 - 1)
    fields = parse_fields(query.fields, EventOut)

    def work(tx: Transaction) -> Reply:
        found = history.timeline(tx, request.caller, reference, after=after, limit=query.limit + 1)
        shown, cursor = cut_page(found, query.limit, lambda last: {"kind": _CURSOR, "after": last.ordinal})
        return page_of(map(event_json, shown), fields, cursor)

    return request.read(work)


@router.post(
    "/{reference}/notes",
    status_code=201,
    dependencies=[require_right(Right.CONTRIBUTE)],
    responses={
        201: {"model": EventOut, "description": "The event that the note is"},
        **refusals(
            forbidden="The key may not add notes.",
            not_found="There is no such complaint, or the key may not know of it.",
            idempotency_in_progress="The first request with this Idempotency-Key is still running.",
        ),
    },
)
def add_note(
    request: CurrentRequest,
    reference: str,
    command: Annotated[AddNote, Body(examples=[_EXAMPLES["add_note"]])],
) -> Response:
    """Put a note on the record: for colleagues (`internal`, the default) or for the complainant too."""

    def work(tx: Transaction) -> Reply:
        return 201, event_json(history.add_note(request.service, tx, request.caller, reference, command)), {}

    return request.write(work)
