"""Routes for passwords: change one's own, make a link for a user, set a password by it."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from complaints.api.accounts.hashing_turns import HashingTurns
from complaints.api.accounts.schemas import PasswordLinkShown
from complaints.api.http.request_heads import address_of
from complaints.api.http.strict_route import StrictRoute
from complaints.api.kept_secrets import KeptSecret
from complaints.api.openapi.example_files import read_examples
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, get_service, require_right
from complaints.domain.json_text import to_json
from complaints.use_cases.access import Right
from complaints.use_cases.accounts import passwords
from complaints.use_cases.commands.accounts import ChangePassword, SetPassword
from complaints.use_cases.service import Transaction

_EXAMPLES = read_examples("complaints.api.accounts")
router = APIRouter(tags=["accounts"], route_class=StrictRoute)


@router.put(
    "/me/password",
    status_code=204,
    responses=refusals(
        forbidden="The caller has a key without a user.",
        conflict="The password changed at the same time.",
        too_many_requests="Too many wrong passwords.",
    ),
)
async def change_password(
    request: CurrentRequest,
    http_request: Request,
    command: Annotated[ChangePassword, Body(examples=[_EXAMPLES["change_password"]])],
) -> Response:
    """Change the caller's own password. All other sessions of the user end."""
    turns: HashingTurns = http_request.app.state.hashing_turns
    session = http_request.scope["state"].get("session")
    await turns.run(
        partial(
            passwords.change_password,
            get_service(http_request),
            request.caller,
            command.old_password.get_secret_value(),
            command.password.get_secret_value(),
            session_id=session.id if session else None,
            now=http_request.app.state.wall(),
        ),
        address=address_of(http_request),
    )
    return request.answer((204, None, {}))


@router.post(
    "/users/{login}/password-link",
    status_code=201,
    dependencies=[require_right(Right.ADMINISTER)],
    responses={
        201: {"model": PasswordLinkShown},
        **refusals(not_found="There is no such user.", conflict="The user is not active."),
    },
)
def make_password_link(request: CurrentRequest, http_request: Request, login: str) -> Response:
    """Make a link by which a user sets a password: once, within 72 hours. It replaces an older link of the user.

    Only this answer has the token. For a repetition under the same `Idempotency-Key` it is kept, encrypted with the
    secret of the caller.
    """
    kept = KeptSecret.of(
        request, http_request, member="token", name_of=lambda content: str(content["login"]).encode()
    )

    def work(tx: Transaction) -> Reply:
        link, token = passwords.make_password_link(request.service, tx, request.caller, login)
        content = {"login": link.login, "token": token, "expires_at": to_json(link.expires_at)}
        return 201, kept.hide(content), {"Cache-Control": "no-store"}

    return request.write(work, finish_body=kept.show)


@router.post("/password-links", status_code=204, responses=refusals(link_refused="The link does not work."))
async def set_password(
    request: Request, command: Annotated[SetPassword, Body(examples=[_EXAMPLES["set_password"]])]
) -> Response:
    """Set a password by a link, which needs no key. The link works once. All sessions of the user end."""
    turns: HashingTurns = request.app.state.hashing_turns
    await turns.run(
        partial(
            passwords.set_password_by_link,
            get_service(request),
            command.token.get_secret_value(),
            command.password.get_secret_value(),
        ),
        address=address_of(request),
    )
    return Response(status_code=204)
