"""The switches of language and theme. They work without scripts, and for somebody who is not signed in by a cookie."""

from contextlib import suppress

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from complaints.api.http.authentication import find_caller
from complaints.api.http.request_heads import refuse_other_sites
from complaints.api.problems.refusals import Unauthenticated
from complaints.console.forms import SentForm
from complaints.console.page_request import LANGUAGE_COOKIE, THEME_COOKIE, own_page
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.commands.work import ChangePreference
from complaints.use_cases.service import Service
from complaints.use_cases.work.preferences import change_preference

router = APIRouter()
_A_YEAR = 31_536_000
_COOKIES = {"language": LANGUAGE_COOKIE, "theme": THEME_COOKIE}


@router.post("/look")
async def change_look(request: Request, form: SentForm) -> Response:
    """Switch the language or the theme, for this browser and for the user, and go back to the page."""
    refuse_other_sites(request.scope)
    given = {name: form.text(name) for name in _COOKIES if form.text(name)}
    command = read_command(ChangePreference, given)
    with suppress(Unauthenticated):  # nobody is signed in: the cookie holds alone
        caller = await find_caller(request.scope)
        if caller.has_session and caller.login is not None:
            service, login = request.app.state.service, caller.login
            await run_in_threadpool(_change, service, login, command)
    answer = RedirectResponse(own_page(form.text("next")), 303)
    keep_look(answer, command)
    return answer


def _change(service: Service, login: str, command: ChangePreference) -> None:
    service.write(lambda tx: change_preference(tx, login, command))


def keep_look(answer: Response, command: ChangePreference) -> None:
    """Keep language and theme in cookies too, for pages that nobody is signed in to read."""
    for name, cookie in _COOKIES.items():
        if name in command.model_fields_set:
            value = getattr(command, name)
            answer.set_cookie(
                cookie, value or "", max_age=_A_YEAR if value else 0, path="/console", samesite="lax"
            )
