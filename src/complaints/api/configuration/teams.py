"""Routes for teams: the users who work on complaints together."""

from typing import Annotated

from fastapi import Body

from complaints.api.configuration.reference_routes import WriteRoute, make_reference_router
from complaints.api.configuration.schemas import Page, TeamShown
from complaints.api.openapi.example_files import read_examples
from complaints.use_cases.commands.configuration import CreateTeam, PatchTeam
from complaints.use_cases.configuration.staff import TEAMS

_EXAMPLES = read_examples("complaints.api.configuration")

router = make_reference_router(
    TEAMS,
    schema=TeamShown,
    page_schema=Page[TeamShown],
    create=WriteRoute(
        body=Annotated[CreateTeam, Body(examples=[_EXAMPLES["create_team"]])],
        description="Make a team. Steps for `team_lead` go to its lead, else to its deputy.",
    ),
    change=WriteRoute(
        body=Annotated[PatchTeam, Body(examples=[_EXAMPLES["patch_team"]])],
        description="""
        Change a team. `""` removes its lead or deputy. The steps of a vacant role go to the next role up.
        """,
        conflict="It cannot be deactivated: a category, a policy in force now or later, or open "
        "complaints need it. `detail` says which.",
    ),
)
