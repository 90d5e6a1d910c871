"""Routes for users: the members of the staff who work on complaints."""

from typing import Annotated

from fastapi import Body

from complaints.api.configuration.reference_routes import WriteRoute, make_reference_router
from complaints.api.configuration.schemas import USER_EXAMPLE, Page, UserShown
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import CreateUser, PatchUser
from complaints.use_cases.configuration.staff import USERS

router = make_reference_router(
    USERS,
    schema=UserShown,
    page_schema=Page[UserShown],
    read_right=Right.READ,
    create=WriteRoute(
        body=Annotated[CreateUser, Body(examples=[USER_EXAMPLE])],
        description="Make a user. While absent, their deputy is told of escalations in their place.",
    ),
    change=WriteRoute(
        body=Annotated[
            PatchUser, Body(examples=[{"deputy": "admin", "absent_from": "2026-11-22T00:00:00Z"}])
        ],
        description="""
        Change a user. `""` takes the e-mail address or the deputy away. A new `absent_from` begins a new
        absence, open unless `absent_until` is given with it; an `absent_until` in the past takes an absence away.
        There is no deleting: whoever is not `active` keeps what they have, can no longer be named, and their keys
        stop working.
        """,
        conflict="The last active user stays active.",
    ),
)
