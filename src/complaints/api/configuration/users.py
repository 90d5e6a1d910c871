"""Users: the people who work on complaints."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.responses import Response

from complaints.api.configuration.schemas import USER_EXAMPLE, Page, UserShown
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import PageParameters, make_page
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.domain.json_text import plain
from complaints.domain.staff import User
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import CreateUser, PatchUser
from complaints.use_cases.configuration import staff
from complaints.use_cases.service import Transaction

router = APIRouter(prefix="/users", tags=["reference data"], route_class=StrictRoute)
_SHOWN = {"model": UserShown}


def user_json(user: User) -> dict[str, Any]:
    """A user as the API shows them."""
    return {name: plain(value) for name, value in asdict(user).items()}


@router.get("", dependencies=[require_right(Right.READ)], responses={200: {"model": Page[UserShown]}})
def list_users(request: CurrentRequest, query: PageParameters) -> Response:
    """Every user, by login."""

    def work(tx: Transaction) -> Reply:
        found = request.service.cache.current(tx, certain=True).directory.users.values()
        return make_page(
            [user_json(user) for user in found], query, kind="users", order=["login"], shape=UserShown
        )

    return request.read(work)


@router.get(
    "/{login}",
    dependencies=[require_right(Right.READ)],
    responses={200: _SHOWN, **refusals(not_found="There is no such user.")},
)
def get_user(request: CurrentRequest, login: str) -> Response:
    """One user."""

    def work(tx: Transaction) -> Reply:
        directory = request.service.cache.current(tx, certain=True).directory
        return 200, user_json(staff.load_user(directory, login)), {}

    return request.read(work)


@router.post(
    "",
    status_code=201,
    dependencies=[require_right(Right.CONFIGURE)],
    responses={201: _SHOWN, **refusals(conflict="The login is taken.")},
)
def create_user(
    request: CurrentRequest, command: Annotated[CreateUser, Body(examples=[USER_EXAMPLE])]
) -> Response:
    """Make a user. While absent, their deputy is told of escalations in their place."""

    def work(tx: Transaction) -> Reply:
        made = staff.create_user(request.service, tx, request.caller, command)
        return 201, user_json(made), {"Location": f"/v1/users/{made.login}"}

    return request.configure(work)


@router.patch(
    "/{login}",
    dependencies=[require_right(Right.CONFIGURE)],
    responses={
        200: _SHOWN,
        **refusals(not_found="There is no such user.", conflict="The last active user stays active."),
    },
)
def change_user(
    request: CurrentRequest,
    login: str,
    command: Annotated[
        PatchUser, Body(examples=[{"deputy": "admin", "absent_from": "2026-11-22T00:00:00Z"}])
    ],
) -> Response:
    """Change a user. `""` takes the e-mail address or the deputy away. A new `absent_from` begins a new
    absence, open unless `absent_until` is given with it; an `absent_until` in the past takes an absence away.
    There is no deleting: whoever is not `active` keeps what they have, can no longer be named, and their keys
    stop working.
    """

    def work(tx: Transaction) -> Reply:
        return 200, user_json(staff.change_user(request.service, tx, request.caller, login, command)), {}

    return request.configure(work)
