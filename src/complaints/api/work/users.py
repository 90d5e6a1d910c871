"""Routes of the work of a user: the load, and the rehearsal of an absence."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.api.work.schemas import LoadShown, RehearsalPage, RehearsalQuery
from complaints.domain.complaint.numbers import number_of
from complaints.domain.json_text import to_json
from complaints.use_cases.access import Right
from complaints.use_cases.service import Transaction
from complaints.use_cases.work import loads, rehearsal
from complaints.use_cases.work.loads import UserLoad
from complaints.use_cases.work.rehearsal import InheritedComplaint, WakePosition

router = PrefixedRouter(prefix="/users", tags=["work"], route_class=StrictRoute)
_CURSOR = "rehearsal"
_UNKNOWN = "There is no such user."


def load_json(load: UserLoad) -> dict[str, Any]:
    """A load as the API shows it."""
    named = {"login": load.user.login, "name": load.user.name}
    return {**named, "available": load.available, "on_duty": load.on_duty, **asdict(load.count)}


@router.get(
    "/{login}/load",
    dependencies=[require_right(Right.READ)],
    responses={200: {"model": LoadShown}, **refusals(not_found=_UNKNOWN)},
)
def show_load(request: CurrentRequest, login: str) -> Response:
    """How many open complaints a user works on, and how many of them are overdue or due today."""

    def work(tx: Transaction) -> Reply:
        return 200, load_json(loads.find_load(request.service, tx, request.caller, login)), {}

    return request.read(work)


@router.get(
    "/{login}/absence-rehearsal",
    dependencies=[require_right(Right.READ)],
    responses={
        200: {"model": RehearsalPage, "description": "A page of complaints with what falls due"},
        **refusals(bad_request="A cursor that is not one of this list's.", not_found=_UNKNOWN),
    },
)
def rehearse_absence(
    request: CurrentRequest, login: str, query: Annotated[RehearsalQuery, Query()]
) -> Response:
    """What falls due for a user during an absence, and who inherits each part. `gap`: nobody does.

    Nothing changes. It shows deadlines and steps by the present staff, rotas and plans.
    """
    after = None if query.cursor is None else _position(query.cursor)

    def work(tx: Transaction) -> Reply:
        found, end = rehearsal.rehearse_absence(
            request.service,
            tx,
            request.caller,
            login,
            query.absent_from,
            query.absent_until,
            after=after,
            limit=query.limit,
        )
        return 200, {"items": [_inherited_json(one) for one in found], "next_cursor": _cursor(end)}, {}

    return request.read(work)


def _inherited_json(inherited: InheritedComplaint) -> dict[str, Any]:
    complaint = inherited.complaint
    return {
        "complaint_id": to_json(complaint.id),
        "number": number_of(complaint.sequence),
        "subject": complaint.subject,
        "team": complaint.team,
        "assignee": complaint.assignee,
        "tasks": [{**to_json(asdict(task)), "gap": not task.heirs} for task in inherited.tasks],
    }


def _cursor(end: WakePosition | None) -> str | None:
    if end is None:
        return None
    return cursors.encode({"kind": _CURSOR, "wake": to_json(end.wake_at), "id": to_json(end.complaint_id)})


def _position(cursor: str) -> WakePosition:
    position = cursors.decode(cursor, _CURSOR)
    return WakePosition(cursors.instant_in(position, "wake"), cursors.id_in(position, "id"))
