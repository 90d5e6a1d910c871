"""Complaints: post, read, change, act."""

from typing import Annotated

from fastapi import APIRouter, Body
from starlette.responses import Response

from complaints.api.calls import Call, Shown, needs
from complaints.api.representation import complaint_json
from complaints.api.strict_route import StrictRoute
from complaints.handling import intake, lookup, progress
from complaints.handling.access import Right
from complaints.handling.commands import CreateComplaint, PatchComplaint, Transition
from complaints.handling.views import ComplaintView, view, view_one
from complaints.storage.unit_of_work import Transaction

router = APIRouter(prefix="/complaints", tags=["complaints"], route_class=StrictRoute)


def _shown(found: ComplaintView, status: int = 200) -> Shown:
    headers = {"ETag": f'"{found.complaint.version}"'}
    if status == 201:
        headers["Location"] = f"/v1/complaints/{found.complaint.id}"
    return status, complaint_json(found), headers


@router.post("", status_code=201, dependencies=[needs(Right.CREATE)])
def create_complaint(call: Call, command: CreateComplaint) -> Response:
    """Post a complaint. Posted again under the same source and external id, it is the same complaint (200)."""

    def work(tx: Transaction) -> Shown:
        made = intake.register_one(call.engine, tx, call.caller, command)
        if not made.created:
            return _shown(view_one(call.engine, tx, call.caller, made.complaint))
        return _shown(view(call.engine, tx, call.caller, made.complaint, made.parties), 201)

    return call.write(work)


@router.get("/{reference}", dependencies=[needs(Right.READ_OWN)])
def get_complaint(call: Call, reference: str) -> Response:
    """One complaint, by id or number."""
    return call.read(lambda tx: _shown(lookup.load_view(call.engine, tx, call.caller, reference)))


@router.patch("/{reference}", dependencies=[needs(Right.WORK)])
def change_complaint(call: Call, reference: str, command: PatchComplaint) -> Response:
    """Change what was told."""

    def work(tx: Transaction) -> Shown:
        changed = progress.patch(call.engine, tx, call.caller, reference, command, call.versions)
        return _shown(view_one(call.engine, tx, call.caller, changed))

    return call.write(work)


@router.post("/{reference}/transitions", dependencies=[needs(Right.WORK)])
def take_action(call: Call, reference: str, command: Annotated[Transition, Body()]) -> Response:
    """Take an action."""

    def work(tx: Transaction) -> Shown:
        changed = progress.transition(call.engine, tx, call.caller, reference, command, call.versions)
        return _shown(view_one(call.engine, tx, call.caller, changed))

    return call.write(work)
