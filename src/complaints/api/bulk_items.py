"""The answer to a call on many items: one result for each."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Request
from pydantic import Field

from complaints.api.openapi.models import AnswerModel
from complaints.api.problems.catalogue import refusal_members
from complaints.api.problems.languages import language_of
from complaints.use_cases.bulk import BulkItem

ProblemMembers = Annotated[
    dict[str, Any],
    Field(description="The problem (RFC 9457) that the call on this item alone would have had."),
]
_Status = Annotated[int, Field(description="200, or the status of the problem.", examples=[200])]


class BulkComplaint(AnswerModel):
    """The result of one complaint."""

    complaint: Annotated[str, Field(description="As the call named it; its id if a filter found it.")]
    status: _Status
    problem: ProblemMembers = Field(default={})


class BulkItems(AnswerModel):
    """The result of each complaint, in the order of the call; those of a filter newest first."""

    items: list[BulkComplaint]


class BulkEscalation(AnswerModel):
    """The result of one escalation."""

    escalation: Annotated[str, Field(description="Its id.")]
    status: _Status
    problem: ProblemMembers = Field(default={})


class BulkEscalations(AnswerModel):
    """The result of each escalation, in the order of the call; those of a filter latest first."""

    items: list[BulkEscalation]


def show_item(http_request: Request, noun: str, address: str) -> Callable[[BulkItem], dict[str, Any]]:
    """Make the function that shows an item. `noun` is its member, `address` the path of a call on one item."""
    problems, language = http_request.app.state.problems, language_of(http_request.scope)

    def show(item: BulkItem) -> dict[str, Any]:
        if item.refusal is None:
            return {noun: item.reference, "status": 200}
        problem = refusal_members(
            item.refusal, language, instance=address.format(quote(item.reference, safe="")), problems=problems
        )
        return {noun: item.reference, "status": problem["status"], "problem": problem}

    return show
