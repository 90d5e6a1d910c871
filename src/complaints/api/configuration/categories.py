"""Routes for categories: the subjects of complaints, in two levels."""

from typing import Annotated

from fastapi import Body

from complaints.api.configuration.reference_routes import WriteRoute, make_reference_router
from complaints.api.configuration.schemas import CategoryShown, Page
from complaints.api.openapi.example_files import read_examples
from complaints.use_cases.commands.configuration import CreateCategory, PatchCategory
from complaints.use_cases.configuration.categories import CATEGORIES

_EXAMPLES = read_examples("complaints.api.configuration")

router = make_reference_router(
    CATEGORIES,
    schema=CategoryShown,
    page_schema=Page[CategoryShown],
    create=WriteRoute(
        body=Annotated[CreateCategory, Body(examples=[_EXAMPLES["create_category"]])],
        description="""
        Make a category. A category below another one has a cause and a nature. For a category without a
        team the policy chooses the team.
        """,
    ),
    change=WriteRoute(
        body=Annotated[PatchCategory, Body(examples=[_EXAMPLES["patch_category"]])],
        description="""
        Change a category. A category cannot be deleted. If it is not `active`, new complaints with it are refused,
        and older complaints keep it. `team: ""` leaves the choice of the team to the policy again.
        """,
    ),
)
