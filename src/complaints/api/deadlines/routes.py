"""Routes for the deadlines of a complaint: explain a due time, move to another policy version."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Body
from starlette.responses import Response

from complaints.api.complaints.answers import complaint_answer, described
from complaints.api.deadlines.schemas import ExplanationOut
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.example_files import read_examples
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.domain.json_text import to_json
from complaints.domain.policy.policy import Policy
from complaints.domain.time.working_time import Segment
from complaints.use_cases.access import Right
from complaints.use_cases.commands.complaints import Replan
from complaints.use_cases.complaints import actions, explanation
from complaints.use_cases.complaints.explanation import ExplainedStep, Explanation
from complaints.use_cases.service import Transaction

_EXAMPLES = read_examples("complaints.api.deadlines")

router = PrefixedRouter(prefix="/complaints", tags=["deadlines"], route_class=StrictRoute)
_STEP_MEMBERS = ("step", "level", "notify", "planned_at", "taken_at", "superseded", "repeat")


def segment_json(segment: Segment) -> dict[str, Any]:
    """A stretch of time as the API shows it."""
    return {
        "from": to_json(segment.start),
        "to": to_json(segment.end),
        "counted": segment.counted,
        "reason": segment.reason,
    }


def _explanation_json(explained: Explanation) -> dict[str, Any]:
    return {
        "due_at": to_json(explained.due_at),
        "segments": [segment_json(segment) for segment in explained.segments],
        "steps": [step_json(step) for step in explained.steps],
        "policy": policy_json(explained.policy),
        "policy_chosen_by": explained.chosen_by,
        "other_policy": explained.other_policy and policy_json(explained.other_policy),
    }


def policy_json(policy: Policy) -> dict[str, Any]:
    """A version of a policy as the API names it."""
    return {"code": policy.code, "version": policy.version}


def step_json(step: ExplainedStep) -> dict[str, Any]:
    """A step of a ladder as the API shows it."""
    return {name: to_json(getattr(step, name)) for name in _STEP_MEMBERS}


@router.get(
    "/{reference}/deadlines/{deadline_id}/explanation",
    dependencies=[require_right(Right.READ_OWN)],
    responses={
        200: {"model": ExplanationOut, "description": "The explanation"},
        **refusals(not_found="The complaint has no such deadline."),
    },
)
def explain_deadline(request: CurrentRequest, reference: str, deadline_id: UUID) -> Response:
    """Explain a deadline: the arithmetic of its due time, and the steps of its ladder, planned and taken."""

    def work(tx: Transaction) -> Reply:
        explained = explanation.explain(request.service, tx, request.caller, reference, deadline_id)
        return 200, _explanation_json(explained), {}

    return request.read(work)


@router.post(
    "/{reference}/replan",
    dependencies=[require_right(Right.SUPERVISE)],
    responses={
        200: described("The complaint, re-planned"),
        **refusals(
            forbidden="Only supervisors may.",
            not_found="There is no such complaint, or the key may not know of it.",
            conflict="The complaint has ended.",
            stale_version="If-Match names another version than the present one.",
        ),
    },
)
def replan_complaint(
    request: CurrentRequest, reference: str, command: Annotated[Replan, Body(examples=[_EXAMPLES["replan"]])]
) -> Response:
    """Move a complaint to a version of its policy or of another one, on purpose. Running deadlines are computed again
    from their start.
    """

    def work(tx: Transaction) -> Reply:
        complaint = actions.replan(request.service, tx, request.caller, reference, command, request.versions)
        return complaint_answer(request, tx, complaint)

    return request.write(work)
