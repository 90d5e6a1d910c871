"""The preferences of the user: language, zone, theme and single keys; the own sessions and the own password."""

from functools import cache, partial
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from complaints.api.accounts.hashing_turns import HashingTurns
from complaints.api.http.request_heads import address_of
from complaints.api.problems.catalogue import problem_for
from complaints.console.forms import FormFields, FormState, SentForm, refused_form
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.look import keep_look
from complaints.console.views.browser_names import name_browser
from complaints.domain.errors import ComplaintError
from complaints.domain.time.zones import find_zone
from complaints.use_cases.accounts import passwords, sessions
from complaints.use_cases.commands.accounts import ChangePassword
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.commands.work import ChangePreference
from complaints.use_cases.once import Answer
from complaints.use_cases.service import Transaction
from complaints.use_cases.work.preferences import UserPreference, change_preference, load_preference

router = APIRouter()
_ADDRESS = "/console/preferences"
_CHOICES = ("language", "zone", "theme")


@router.get("/preferences")
def show_preferences(request: SignedIn, done: str = "") -> Response:
    """The forms. `done` names what was changed a moment ago."""
    return _show(request, done=done)


@router.post("/preferences")
def save_preferences(request: SignedIn, form: SentForm) -> Response:
    """Save language, zone, theme and single keys. An empty choice leaves it to the browser."""
    given: dict[str, Any] = {name: form.text(name).strip() or None for name in _CHOICES}
    try:
        command = read_command(ChangePreference, {**given, "single_keys": bool(form.text("single_keys"))})
    except ComplaintError as refusal:
        return _show(request, form=refused_form(form, refusal, request.locale), status=422)

    def work(tx: Transaction) -> Answer:
        change_preference(tx, request.viewer.user.login, command)
        return Answer(204, b"")

    request.submit(form.attempt, form.body, work)
    answer = RedirectResponse(f"{_ADDRESS}?done=saved", 303)
    keep_look(answer, command)
    return answer


@router.post("/preferences/password")
async def change_password(request: SignedIn, form: SentForm) -> Response:
    """Change the own password. All other sessions of the user end."""
    if form.text("password") != form.text("again"):
        fault = request.locale.texts.preferences.differs
        return await run_in_threadpool(
            _show, request, password=FormState(faults={"again": fault}), status=422
        )
    try:
        await _change_password(request, form)
    except ComplaintError as refusal:
        status = problem_for(refusal, request.http.app.state.problems).status
        return await run_in_threadpool(
            _show, request, password=refused_form(form, refusal, request.locale), status=status
        )
    return RedirectResponse(f"{_ADDRESS}?done=password", 303)


async def _change_password(request: PageRequest, form: FormFields) -> None:
    """Raises the refusals of `passwords.change_password`, and InvalidContent for an empty field."""
    given = {name: form.text(name) for name in ("old_password", "password")}
    command = read_command(ChangePassword, given)
    state = request.http.app.state
    turns: HashingTurns = state.hashing_turns
    work = partial(
        passwords.change_password,
        state.service,
        request.caller,
        command.old_password.get_secret_value(),
        command.password.get_secret_value(),
        session_id=request.http.scope["state"]["session"].id,
        now=state.wall(),
    )
    await turns.run(work, address=address_of(request.http))


@router.post("/sessions/{session_id}/end")
def end_session(request: SignedIn, session_id: UUID) -> Response:
    """End a session of the user, on another machine for instance."""
    request.service.write(lambda tx: sessions.end_session(tx, request.caller, session_id))
    return RedirectResponse(f"{_ADDRESS}?done=ended#sessions", 303)


def _show(
    request: PageRequest,
    *,
    done: str = "",
    form: FormState | None = None,
    password: FormState | None = None,
    status: int = 200,
) -> Response:
    state, login = request.http.app.state, request.viewer.user.login

    def find(tx: Transaction) -> tuple[UserPreference, Any]:
        own = sessions.list_sessions(tx, request.caller, None, now=state.wall(), limits=state.session_limits)
        return load_preference(tx, login), own

    preference, own_sessions = state.service.read(find)
    return request.page(
        "pages/preferences.html",
        status=status,
        done=done,
        form=form or _form_of(preference),
        password=password or FormState(),
        sessions=[(one, name_browser(one.agent)) for one in own_sessions],
        current=request.http.scope["state"]["session"].id,
        zones=list_zones(),
        now=state.wall(),
    )


def _form_of(preference: UserPreference) -> FormState:
    values = {name: getattr(preference, name) or "" for name in _CHOICES}
    return FormState({**values, "single_keys": "on" if preference.single_keys else ""})


@cache
def list_zones() -> tuple[str, ...]:
    """The names of the time zones that a user may choose."""
    return tuple(sorted(name for name in available_timezones() if "/" in name and find_zone(name)))
