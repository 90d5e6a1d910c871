"""Routes for categories: the subjects of complaints, in two levels."""

from typing import Annotated

from fastapi import Body

from complaints.api.configuration.reference_routes import WriteRoute, make_reference_router
from complaints.api.configuration.schemas import CATEGORY_EXAMPLE, CategoryShown, Page
from complaints.use_cases.commands.configuration import CreateCategory, PatchCategory
from complaints.use_cases.configuration.categories import CATEGORIES

router = make_reference_router(
    CATEGORIES,
    schema=CategoryShown,
    page_schema=Page[CategoryShown],
    create=WriteRoute(
        body=Annotated[CreateCategory, Body(examples=[CATEGORY_EXAMPLE])],
        description="Make a category. One below another has a cause and a nature; without a team the policy routes.",
    ),
    change=WriteRoute(
        body=Annotated[PatchCategory, Body(examples=[{"active": False}])],
        description="""
        Change a category. There is no deleting: one that is not `active` is refused for new complaints, and
        those that have it keep it. `team: ""` leaves routing to the policy again.
        """,
    ),
)
