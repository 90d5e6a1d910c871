"""Routes for teams: the users who work on complaints together."""

from typing import Annotated

from fastapi import Body

from complaints.api.configuration.reference_routes import WriteRoute, make_reference_router
from complaints.api.configuration.schemas import TEAM_EXAMPLE, Page, TeamShown
from complaints.use_cases.commands.configuration import CreateTeam, PatchTeam
from complaints.use_cases.configuration.staff import TEAMS

router = make_reference_router(
    TEAMS,
    schema=TeamShown,
    page_schema=Page[TeamShown],
    create=WriteRoute(
        body=Annotated[CreateTeam, Body(examples=[TEAM_EXAMPLE])],
        description="Make a team. Steps for `team_lead` go to its lead, else to its deputy.",
    ),
    change=WriteRoute(
        body=Annotated[PatchTeam, Body(examples=[{"lead": "admin"}])],
        description="""
        Change a team. `""` removes its lead or deputy. The steps of a vacant role go to the next role up.
        """,
        conflict="It cannot be deactivated: a category, a policy in force now or later, or open "
        "complaints need it. `detail` says which.",
    ),
)
