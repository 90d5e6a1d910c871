"""How routes beside the complaint itself answer with the complaint they changed."""

from typing import Any

from complaints.api.calls import CallFacts, Shown
from complaints.api.complaint_schemas import ComplaintShown
from complaints.api.representation import complaint_json
from complaints.domain.complaint.facts import Complaint
from complaints.handling.views import view_one
from complaints.storage.database.transactions import Transaction


def complaint_answer(call: CallFacts, tx: Transaction, complaint: Complaint, *, status: int = 200) -> Shown:
    """The complaint as the caller sees it, with its ETag."""
    found = view_one(call.engine, tx, call.caller, complaint)
    return status, complaint_json(found), {"ETag": f'"{complaint.version}"'}


def described(description: str) -> dict[str, Any]:
    """Such an answer, for the OpenAPI document."""
    etag = {"description": "The version, for If-Match.", "schema": {"type": "string"}, "example": '"2"'}
    return {"model": ComplaintShown, "description": description, "headers": {"ETag": etag}}
