"""Routes of the work of a team: its queue, the load of its members, and its duty rota."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Body, Query
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.complaints.json_shapes import complaint_json
from complaints.api.complaints.schemas import ComplaintPage, ComplaintShown
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.example_files import read_examples
from complaints.api.pages import PageQuery, page_of, parse_fields
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.api.work.schemas import DutyRotaShown, TeamLoadShown
from complaints.api.work.users import load_json
from complaints.domain.json_text import to_json
from complaints.domain.staff import DutyShift
from complaints.use_cases.access import Right
from complaints.use_cases.commands.work import PutDutyRota
from complaints.use_cases.complaints.views import view_one
from complaints.use_cases.service import Transaction
from complaints.use_cases.work import duty, loads, queues, taking
from complaints.use_cases.work.queues import ListPosition

router = PrefixedRouter(prefix="/teams", tags=["work"], route_class=StrictRoute)
_EXAMPLES = read_examples("complaints.api.work")
_CURSOR = "queue"
_UNKNOWN = "There is no such team."


@router.get(
    "/{code}/queue",
    dependencies=[require_right(Right.READ)],
    responses={
        200: {"model": ComplaintPage, "description": "A page of the queue"},
        **refusals(bad_request="A cursor that is not one of this list's.", not_found=_UNKNOWN),
    },
)
def list_queue(request: CurrentRequest, code: str, query: Annotated[PageQuery, Query()]) -> Response:
    """The open complaints of a team that nobody has: the one that is due first comes first."""
    fields = parse_fields(query.fields, ComplaintShown)
    after = None if query.cursor is None else position_of(query.cursor, code)

    def work(tx: Transaction) -> Reply:
        found, end = queues.list_queue(
            request.service, tx, request.caller, code, after=after, limit=query.limit
        )
        return page_of(map(complaint_json, found), fields, cursor_of(end, code))

    return request.read(work)


def cursor_of(end: ListPosition | None, code: str) -> str | None:
    """The cursor of the page that follows `end` in a queue; None: no page follows."""
    if end is None:
        return None
    place = {"due": to_json(end.value), "id": to_json(end.complaint_id)}
    return cursors.encode({"kind": _CURSOR, "team": code, **place})


def position_of(cursor: str, code: str) -> ListPosition:
    """The place in a queue that a cursor names. Raises BadRequest for a cursor of another list."""
    position = cursors.decode(cursor, _CURSOR)
    if position.get("team") != code:
        raise cursors.bad_cursor()
    return ListPosition(cursors.instant_in(position, "due"), cursors.id_in(position, "id"))


@router.post(
    "/{code}/queue/take",
    dependencies=[require_right(Right.WORK)],
    responses={
        200: {"model": ComplaintShown, "description": "The complaint that the caller has now"},
        **refusals(
            forbidden="The key may not work on complaints.",
            not_found="There is no such team, or nothing waits in its queue.",
        ),
    },
)
def take_next(request: CurrentRequest, code: str) -> Response:
    """Assign the first complaint of the queue to the user of the key. Callers at the same time get different ones."""

    def work(tx: Transaction) -> Reply:
        taken = taking.take_next(request.service, tx, request.caller, code)
        found = view_one(request.service, tx, request.caller, taken)
        return 200, complaint_json(found.parts), {"ETag": f'"{taken.version}"'}

    return request.write(work)


@router.get(
    "/{code}/load",
    dependencies=[require_right(Right.READ)],
    responses={200: {"model": TeamLoadShown}, **refusals(not_found=_UNKNOWN)},
)
def show_team_load(request: CurrentRequest, code: str) -> Response:
    """The load of every active member of a team."""

    def work(tx: Transaction) -> Reply:
        found = loads.list_team_load(request.service, tx, request.caller, code)
        return 200, {"team": code, "items": [load_json(load) for load in found]}, {}

    return request.read(work)


@router.get(
    "/{code}/duty",
    dependencies=[require_right(Right.READ)],
    responses={200: {"model": DutyRotaShown}, **refusals(not_found=_UNKNOWN)},
)
def get_duty_rota(request: CurrentRequest, code: str) -> Response:
    """The duty rota of a team: from level 1 on, escalations go to the users on duty instead of the roles."""

    def work(tx: Transaction) -> Reply:
        configuration = request.service.cache.current(tx, certain=True)
        return 200, _rota_json(code, duty.load_rota(configuration, code)), {}

    return request.read(work)


@router.put(
    "/{code}/duty",
    dependencies=[require_right(Right.CONFIGURE)],
    responses={200: {"model": DutyRotaShown}, **refusals(not_found=_UNKNOWN)},
)
def put_duty_rota(
    request: CurrentRequest,
    code: str,
    command: Annotated[PutDutyRota, Body(examples=[_EXAMPLES["put_rota"]])],
) -> Response:
    """Replace the duty rota of a team. Shifts of several users may overlap, and gaps fall back to the roles."""

    def work(tx: Transaction) -> Reply:
        return 200, _rota_json(code, duty.put_rota(request.service, tx, request.caller, code, command)), {}

    return request.configure(work)


def _rota_json(team: str, shifts: tuple[DutyShift, ...]) -> dict[str, Any]:
    return {"team": team, "shifts": [to_json(asdict(shift)) for shift in shifts]}
