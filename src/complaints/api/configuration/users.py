"""Routes for users: the members of the staff who work on complaints."""

from dataclasses import asdict
from typing import Annotated

from fastapi import Body
from starlette.responses import Response

from complaints.api.configuration.reference_routes import WriteRoute, item_json, make_reference_router
from complaints.api.configuration.schemas import LeavingShown, Page, UserShown
from complaints.api.openapi.example_files import read_examples
from complaints.api.problems.schemas import refusals
from complaints.api.request import ApiRequest, CurrentRequest, Reply, require_right
from complaints.domain.json_text import to_json
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import CreateUser, PatchUser
from complaints.use_cases.complaints import leaving
from complaints.use_cases.configuration.staff import USERS
from complaints.use_cases.service import Transaction

_EXAMPLES = read_examples("complaints.api.configuration")


def _change_user(request: ApiRequest, login: str, command: PatchUser) -> Response:
    def work(tx: Transaction) -> Reply:
        user = leaving.change_user(request.service, tx, request.caller, login, command)
        return 200, item_json(user), {}

    answer = request.configure(work)
    if command.active is False:
        leaving.hand_over_all(request.service, login)
    return answer


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
        They are handed over 500 at a time. If the call is cut off, the server goes on, and so does the same call again.
        """,
        conflict="The user is the last active one, or leads a team or heads a department and has no successor.",
    ),
    change_item=_change_user,
)


@router.get(
    "/{login}/leaving",
    dependencies=[require_right(Right.READ)],
    responses={
        200: {"model": LeavingShown, "description": "How far it is"},
        **refusals(not_found="There is no such user, or the user never left."),
    },
)
def get_leaving(request: CurrentRequest, login: str) -> Response:
    """How far the handing over is for a user who leaves or has left, also while the call that began it still runs."""

    def work(tx: Transaction) -> Reply:
        found = asdict(leaving.load_leaving(tx, login))
        return 200, {name: to_json(value) for name, value in found.items()}, {}

    return request.answer(request.service.read_newest(work))
