"""The answer of routes that change a part of a complaint, such as its links: the whole complaint."""

from typing import Any

from complaints.api.complaints.json_shapes import complaint_json
from complaints.api.complaints.schemas import ComplaintShown
from complaints.api.request import ApiRequest, Reply
from complaints.domain.complaint.facts import Complaint
from complaints.use_cases.complaints.views import view_one
from complaints.use_cases.service import Transaction


def complaint_answer(
    request: ApiRequest, tx: Transaction, complaint: Complaint, *, status: int = 200
) -> Reply:
    """The complaint as the caller sees it, with its ETag."""
    found = view_one(request.service, tx, request.caller, complaint)
    return status, complaint_json(found.parts), {"ETag": f'"{complaint.version}"'}


def described(description: str) -> dict[str, Any]:
    """The description of such an answer for the OpenAPI document."""
    etag = {"description": "The version, for If-Match.", "schema": {"type": "string"}, "example": '"2"'}
    return {"model": ComplaintShown, "description": description, "headers": {"ETag": etag}}
