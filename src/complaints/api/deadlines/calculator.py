"""Routes that need nothing stored: the table of the lifecycle, due times and elapsed time."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from complaints.api.deadlines.routes import segment_json
from complaints.api.deadlines.schemas import (
    ElapsedOut,
    LifecycleOut,
    PreviewDeadline,
    PreviewElapsed,
    PreviewOut,
)
from complaints.api.http.content_types import JSON
from complaints.api.http.strict_route import StrictRoute
from complaints.api.request import ApiRequest, CurrentRequest
from complaints.domain.json_text import encode, to_json
from complaints.domain.rules import lifecycle
from complaints.domain.time.calendar_document import parse_calendar
from complaints.domain.time.calendars import WorkCalendar
from complaints.domain.time.preview import plan_elapsed, plan_preview
from complaints.domain.vocabulary import Status

router = APIRouter(tags=["tools"], route_class=StrictRoute)


@router.get("/lifecycle", responses={200: {"model": LifecycleOut, "description": "The lifecycle"}})
def get_lifecycle(request: CurrentRequest) -> Response:
    """The statuses of a complaint, and the actions that lead from one to another."""
    transitions = [
        {"action": action, "from": source, "to": target}
        for action, source, target in lifecycle.list_transitions()
    ]
    return _answer(
        request, {"states": list(Status), "transitions": transitions, "mermaid": lifecycle.mermaid()}
    )


@router.post(
    "/deadlines/preview", responses={200: {"model": PreviewOut, "description": "When it would be due"}}
)
def preview_deadline(request: CurrentRequest, command: PreviewDeadline) -> Response:
    """Compute a due time from nothing stored. `PT…` is open time of the calendar; days and months are
    those of its zone (UTC without one).
    """
    planned = plan_preview(_calendar(command.calendar), command.start, command.target, command.pauses or ())
    segments = [segment_json(segment) for segment in planned.segments]
    return _answer(
        request, {"due_at": to_json(planned.due_at), "status": planned.status, "segments": segments}
    )


@router.post(
    "/deadlines/elapsed", responses={200: {"model": ElapsedOut, "description": "The time that counts"}}
)
def measure_elapsed(request: CurrentRequest, command: PreviewElapsed) -> Response:
    """The open, unpaused seconds from `start` to `end`, computed from nothing stored."""
    seconds = plan_elapsed(_calendar(command.calendar), command.start, command.end, command.pauses or ())
    return _answer(request, {"elapsed_seconds": seconds})


def _calendar(document: dict[str, Any] | None) -> WorkCalendar | None:
    return None if document is None else parse_calendar(document, pointer="/calendar")


def _answer(request: ApiRequest, shown: dict[str, Any]) -> Response:
    """Answer with `shown`. The database is used only if the answer must be stored for a repetition."""
    if request.attempt is None:
        return Response(encode(shown), media_type=JSON)
    return request.write(lambda _tx: (200, shown, {}))
