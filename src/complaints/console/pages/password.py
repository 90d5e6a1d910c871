"""The page to set a password by a link, which needs no session. The token is in the fragment: no log has it."""

from functools import partial

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from complaints.api.accounts.hashing_turns import HashingTurns
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.request_heads import address_of, refuse_other_sites
from complaints.api.problems.catalogue import problem_for
from complaints.console.forms import FormFields, FormState, SentForm, refused_form
from complaints.console.page_request import locale_of
from complaints.console.rendering import html_response, render
from complaints.domain.errors import ComplaintError
from complaints.use_cases.accounts import passwords
from complaints.use_cases.commands.accounts import SetPassword
from complaints.use_cases.commands.messages import read_command

router = PrefixedRouter(prefix="/password")


@router.get("")
async def show_password_form(request: Request) -> Response:
    """The form. A script fills in the token of the link; without one the reader copies it."""
    return _form(request, FormState())


@router.post("")
async def set_password(request: Request, form: SentForm) -> Response:
    """Set the password, and lead to the page to sign in."""
    refuse_other_sites(request.scope)
    try:
        await _set_password(request, form)
    except ComplaintError as refusal:
        state = refused_form(form, refusal, locale_of(request))
        status = problem_for(refusal, request.app.state.problems).status
        return _form(
            request, FormState({"token": state.value("token")}, state.faults, state.fault), status=status
        )
    return RedirectResponse("/console/sign-in", 303)


async def _set_password(request: Request, form: FormFields) -> None:
    """Raises the refusals of `passwords.set_password_by_link`, and InvalidContent for an empty field."""
    members = {name: text for name in ("token", "password") if (text := form.text(name))}
    command = read_command(SetPassword, members)
    turns: HashingTurns = request.app.state.hashing_turns
    work = partial(
        passwords.set_password_by_link,
        request.app.state.service,
        command.token.get_secret_value(),
        command.password.get_secret_value(),
    )
    await turns.run(work, address=address_of(request))


def _form(request: Request, state: FormState, *, status: int = 200) -> Response:
    return html_response(render("pages/password.html", locale=locale_of(request), form=state), status=status)
