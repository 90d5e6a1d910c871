"""Routes for users: the members of the staff who work on complaints."""

from typing import Annotated

from fastapi import Body

from complaints.api.configuration.reference_routes import WriteRoute, make_reference_router
from complaints.api.configuration.schemas import Page, UserShown
from complaints.api.openapi.example_files import read_examples
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import CreateUser, PatchUser
from complaints.use_cases.configuration.staff import USERS

_EXAMPLES = read_examples("complaints.api.configuration")

router = make_reference_router(
    USERS,
    schema=UserShown,
    page_schema=Page[UserShown],
    read_right=Right.READ,
    create=WriteRoute(
        body=Annotated[CreateUser, Body(examples=[_EXAMPLES["create_user"]])],
        description="Make a user. While the user is absent, the deputy is notified of escalations instead.",
    ),
    change=WriteRoute(
        body=Annotated[PatchUser, Body(examples=[_EXAMPLES["patch_user"]])],
        description="""
        Change a user. `""` removes the e-mail address or the deputy. A new `absent_from` begins a new absence,
        which has no end unless `absent_until` is given with it. An `absent_until` in the past removes the absence.
        A user cannot be deleted: a user who is not `active` keeps their complaints and roles, cannot be given
        new ones, and their keys stop working.
        """,
        conflict="The last active user stays active.",
    ),
)
