"""Teams: who works on complaints together."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.responses import Response

from complaints.api.configuration.schemas import TEAM_EXAMPLE, Page, TeamShown
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import PageParameters, make_page
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.domain.staff import Team
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import CreateTeam, PatchTeam
from complaints.use_cases.configuration import staff
from complaints.use_cases.service import Transaction

router = APIRouter(prefix="/teams", tags=["reference data"], route_class=StrictRoute)
_SHOWN = {"model": TeamShown}


def team_json(team: Team) -> dict[str, Any]:
    """A team as the API shows it."""
    return asdict(team)


@router.get("", dependencies=[require_right(Right.READ_OWN)], responses={200: {"model": Page[TeamShown]}})
def list_teams(request: CurrentRequest, query: PageParameters) -> Response:
    """Every team, by code."""

    def work(tx: Transaction) -> Reply:
        found = request.service.cache.current(tx, certain=True).directory.teams.values()
        return make_page(
            [team_json(team) for team in found], query, kind="teams", order=["code"], shape=TeamShown
        )

    return request.read(work)


@router.get(
    "/{code}",
    dependencies=[require_right(Right.READ_OWN)],
    responses={200: _SHOWN, **refusals(not_found="There is no such team.")},
)
def get_team(request: CurrentRequest, code: str) -> Response:
    """One team."""

    def work(tx: Transaction) -> Reply:
        directory = request.service.cache.current(tx, certain=True).directory
        return 200, team_json(staff.load_team(directory, code)), {}

    return request.read(work)


@router.post(
    "",
    status_code=201,
    dependencies=[require_right(Right.CONFIGURE)],
    responses={201: _SHOWN, **refusals(conflict="The code is taken.")},
)
def create_team(
    request: CurrentRequest, command: Annotated[CreateTeam, Body(examples=[TEAM_EXAMPLE])]
) -> Response:
    """Make a team. Steps for `team_lead` go to its lead, else to its deputy."""

    def work(tx: Transaction) -> Reply:
        made = staff.create_team(request.service, tx, request.caller, command)
        return 201, team_json(made), {"Location": f"/v1/teams/{made.code}"}

    return request.configure(work)


@router.patch(
    "/{code}",
    dependencies=[require_right(Right.CONFIGURE)],
    responses={
        200: _SHOWN,
        **refusals(
            not_found="There is no such team.",
            conflict="It cannot be deactivated: a category, a policy in force now or later, or open "
            "complaints need it. `detail` says which.",
        ),
    },
)
def change_team(
    request: CurrentRequest, code: str, command: Annotated[PatchTeam, Body(examples=[{"lead": "admin"}])]
) -> Response:
    """Change a team. `""` takes its lead or deputy away; the steps of a vacant lead go one up."""

    def work(tx: Transaction) -> Reply:
        return 200, team_json(staff.change_team(request.service, tx, request.caller, code, command)), {}

    return request.configure(work)
