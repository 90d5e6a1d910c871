"""The page to sign in, by password or at the provider, and the way to sign out."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from complaints.api.accounts.hashing_turns import HashingTurns
from complaints.api.accounts.sessions import visitor_of
from complaints.api.http.request_heads import refuse_other_sites
from complaints.api.http.session_cookies import read_session_token, session_cookie
from complaints.api.problems.catalogue import problem_for
from complaints.console.forms import FormFields, FormState, SentForm, refused_form
from complaints.console.page_request import SignedIn, is_partial, locale_of, own_page, theme_of
from complaints.console.rendering import html_response, render
from complaints.domain.errors import ComplaintError, InvalidContent
from complaints.use_cases.accounts import passwords, sessions
from complaints.use_cases.accounts.sessions import SessionLimits

router = APIRouter()
_LONGEST = 1000


@router.get("/sign-in")
async def show_sign_in(request: Request) -> Response:
    """The form to sign in. `next` is the page that follows."""
    return _form(request, FormState(), next_page=own_page(request.query_params.get("next", "")))


@router.post("/sign-in")
async def sign_in(request: Request, form: SentForm) -> Response:
    """Sign in by password. The dialog of a page gets 204, and a browser goes to the next page."""
    refuse_other_sites(request.scope)
    limits: SessionLimits = request.app.state.session_limits
    try:
        token = await _open_session(request, form, limits)
    except ComplaintError as refusal:
        locale = locale_of(request)
        state = refused_form(form, refusal, locale)
        problem = problem_for(refusal, request.app.state.problems)
        return _form(request, state, next_page=own_page(form.text("next")), status=problem.status)
    cookie = session_cookie(request.scope, token, seconds=int(limits.absolute.total_seconds()))
    if is_partial(request):
        return Response(status_code=204, headers={"Set-Cookie": cookie, "HX-Trigger": "console:signed-in"})
    return RedirectResponse(own_page(form.text("next")), 303, {"Set-Cookie": cookie})


async def _open_session(request: Request, form: FormFields, limits: SessionLimits) -> str:
    """The token of a new session. Raises the refusals of `passwords.sign_in`, and InvalidContent for an empty field."""
    login, password = form.text("login").strip(), form.text("password")
    for name, value in (("login", login), ("password", password)):
        if not value or len(value) > _LONGEST:
            raise InvalidContent.at(f"/{name}", f"must have 1 to {_LONGEST} characters")
    turns: HashingTurns = request.app.state.hashing_turns
    visitor = visitor_of(request)
    work = partial(
        passwords.sign_in,
        request.app.state.service,
        login,
        password,
        visitor=visitor,
        token=read_session_token(request.scope),
        now=request.app.state.wall(),
        limits=limits,
    )
    _, token = await turns.run(work, address=visitor.address)
    return token


@router.post("/sign-out")
def sign_out(request: SignedIn) -> Response:
    """End the session, and take the cookie away."""
    session = request.http.scope["state"]["session"]
    request.http.app.state.service.write(lambda tx: sessions.end_session(tx, request.caller, session.id))
    cookie = session_cookie(request.http.scope, "", seconds=0)
    return RedirectResponse("/console/sign-in", 303, {"Set-Cookie": cookie})


def _form(request: Request, state: FormState, *, next_page: str, status: int = 200) -> Response:
    values: dict[str, Any] = {
        "form": state,
        "next_page": next_page,
        "theme": theme_of(request),
        "has_provider": request.app.state.openid is not None,
    }
    template = "fragments/sign_in_form.html" if is_partial(request) else "pages/sign_in.html"
    headers = {"HX-Retarget": "#sign-in-form", "HX-Reswap": "outerHTML"} if is_partial(request) else {}
    return html_response(
        render(template, locale=locale_of(request), **values), status=status, headers=headers
    )
