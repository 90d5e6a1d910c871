"""Routes for users: the members of the staff who work on complaints."""

from typing import Annotated

from fastapi import Body
from starlette.responses import Response

from complaints.api.configuration.reference_routes import WriteRoute, item_json, make_reference_router
from complaints.api.configuration.schemas import Page, UserShown
from complaints.api.openapi.example_files import read_examples
from complaints.api.request import ApiRequest, Reply
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import CreateUser, PatchUser
from complaints.use_cases.complaints import leaving
from complaints.use_cases.configuration.staff import USERS
from complaints.use_cases.service import Transaction

_EXAMPLES = read_examples("complaints.api.configuration")


def _change_user(request: ApiRequest, login: str, command: PatchUser) -> Response:
    leaving.hand_over_before(request.service, request.caller, login, command)

    def work(tx: Transaction) -> Reply:
        user = leaving.change_user(request.service, tx, request.caller, login, command)
        return 200, item_json(user), {}

    return request.configure(work)


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
        A user cannot be deleted. With `active: false` a user leaves: the keys stop working, and nobody can give the
        user work. Open complaints go to the `successor`, who also leads and stands in for others instead of the user.
        Without a successor they go to their team: they have no assignee, and the lead of the team is first owner.
        """,
        conflict="The user is the last active one, or leads a team or heads a department and has no successor.",
    ),
    change_item=_change_user,
)
