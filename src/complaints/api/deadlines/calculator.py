"""Routes that need nothing stored: the table of the lifecycle, due times and elapsed time."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from complaints.api.deadlines.routes import policy_json, segment_json, step_json
from complaints.api.deadlines.schemas import (
    ElapsedOut,
    LifecycleOut,
    PreviewDeadline,
    PreviewElapsed,
    PreviewOut,
)
from complaints.api.http.content_types import JSON
from complaints.api.http.strict_route import StrictRoute
from complaints.api.request import ApiRequest, CurrentRequest, Reply
from complaints.domain.errors import InvalidContent
from complaints.domain.json_text import encode, to_json
from complaints.domain.policy.circumstances import NARROWING, Circumstances
from complaints.domain.rules import lifecycle
from complaints.domain.time.calendar_document import parse_calendar
from complaints.domain.time.calendars import WorkCalendar
from complaints.domain.time.preview import PreviewResult, plan_elapsed, plan_preview
from complaints.domain.vocabulary import Priority, Status
from complaints.use_cases.complaints.explanation import explain_planned
from complaints.use_cases.configuration.trial import PolicyTrial, try_policy
from complaints.use_cases.service import Service, Transaction

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
    """Try a due time. Nothing is stored.

    With `target`: `PT…` is open time of the calendar; days and months are those of its zone (UTC without one). A
    target of a policy, such as `2 working days`, counts as in a policy. With `kind`: the due time and the steps of that
    deadline by `policy`. Without `policy`, the members of the complaint choose it.
    """
    _check_choice(command)
    if command.target is not None:
        planned = plan_preview(
            _calendar(command.calendar), command.start, command.target, command.pauses or ()
        )
        return _answer(request, _preview_json(planned))

    def work(tx: Transaction) -> Reply:
        return 200, _trial_json(_try_policy(request.service, tx, command)), {}

    return request.read(work) if request.attempt is None else request.write(work)


def _check_choice(command: PreviewDeadline) -> None:
    """Raise InvalidContent unless the members are those of a target, or those of a kind of deadline."""
    if command.policy is None and (command.kind is None or command.target is not None):
        if command.target is None:
            raise InvalidContent.at("/target", "Give a target, or a kind of deadline.")
        unfit: tuple[str, ...] = ("kind", "priority", "category", *NARROWING, "sequence")
        other = "target"
    elif command.kind is None:
        raise InvalidContent.at("/kind", "A policy needs a kind of deadline.")
    else:
        unfit = ("target", "calendar")
        other = "policy"
    if wrong := [name for name in unfit if getattr(command, name) is not None]:
        raise InvalidContent.at(f"/{wrong[0]}", f"{wrong[0]} does not go with a {other}.")


def _try_policy(service: Service, tx: Transaction, command: PreviewDeadline) -> PolicyTrial:
    assert command.kind is not None  # `_check_choice` has looked
    return try_policy(
        service,
        tx,
        command.policy,
        command.kind,
        told=Circumstances(
            priority=command.priority or Priority.NORMAL,
            category=command.category,
            channel=command.channel,
            region=command.region,
            source=command.source,
        ),
        sequence=command.sequence or 1,
        start=command.start,
        pauses=command.pauses or (),
    )


def _preview_json(planned: PreviewResult) -> dict[str, Any]:
    segments = [segment_json(segment) for segment in planned.segments]
    return {"due_at": to_json(planned.due_at), "status": planned.status, "segments": segments}


def _trial_json(tried: PolicyTrial) -> dict[str, Any]:
    trial = tried.trial
    return {
        **_preview_json(trial.preview),
        "policy": policy_json(trial.policy),
        "policy_chosen_by": tried.chosen_by,
        "steps": [step_json(explain_planned(planned)) for planned in trial.steps],
    }


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
