"""Users: the people who work on complaints."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.responses import Response

from complaints.api.configuration.schemas import USER_EXAMPLE, Page, UserShown
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import Paged, page
from complaints.api.problems.schemas import refusals
from complaints.api.request import Call, Shown, needs
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


@router.get("", dependencies=[needs(Right.READ)], responses={200: {"model": Page[UserShown]}})
def list_users(call: Call, query: Paged) -> Response:
    """Every user, by login."""

    def work(tx: Transaction) -> Shown:
        found = call.service.cache.current(tx, certain=True).directory.users.values()
        return page(
            [user_json(user) for user in found], query, kind="users", order=["login"], shape=UserShown
        )

    return call.read(work)


@router.get(
    "/{login}",
    dependencies=[needs(Right.READ)],
    responses={200: _SHOWN, **refusals(not_found="There is no such user.")},
)
def get_user(call: Call, login: str) -> Response:
    """One user."""

    def work(tx: Transaction) -> Shown:
        directory = call.service.cache.current(tx, certain=True).directory
        return 200, user_json(staff.load_user(directory, login)), {}

    return call.read(work)


@router.post(
    "",
    status_code=201,
    dependencies=[needs(Right.CONFIGURE)],
    responses={201: _SHOWN, **refusals(conflict="The login is taken.")},
)
def create_user(call: Call, command: Annotated[CreateUser, Body(examples=[USER_EXAMPLE])]) -> Response:
    """Make a user. While absent, their deputy is told of escalations in their place."""

    def work(tx: Transaction) -> Shown:
        made = staff.create_user(call.service, tx, call.caller, command)
        return 201, user_json(made), {"Location": f"/v1/users/{made.login}"}

    return call.configure(work)


@router.patch(
    "/{login}",
    dependencies=[needs(Right.CONFIGURE)],
    responses={
        200: _SHOWN,
        **refusals(not_found="There is no such user.", conflict="The last active user stays active."),
    },
)
def change_user(
    call: Call,
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

    def work(tx: Transaction) -> Shown:
        return 200, user_json(staff.change_user(call.service, tx, call.caller, login, command)), {}

    return call.configure(work)
