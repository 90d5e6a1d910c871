"""The actions on one complaint: the panel of all of them, and a form for each."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.problems.catalogue import problem_for
from complaints.console.forms import FormFields, FormState, SentForm, refused_form
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.action_commands import EDIT, FORM_ACTIONS, Command, FormAction
from complaints.console.pages.action_loading import (
    ShownForm,
    load_first_form,
    load_panel,
    load_sent_form,
)
from complaints.console.views.action_forms import (
    ZONE,
    FormPlan,
    make_controls,
    read_changed_members,
    read_members,
)
from complaints.console.views.action_panel import ActionPanel
from complaints.domain.errors import ComplaintError, InvalidContent, NotFound, StaleVersion
from complaints.use_cases.access import Right
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.complaints.available_actions import (
    read_requirements,
)
from complaints.use_cases.complaints.known import load_known_id
from complaints.use_cases.once import Answer, KeyReused
from complaints.use_cases.service import Transaction
from complaints.use_cases.work import drafts
from complaints.use_cases.work.drafts import FormName

router = PrefixedRouter(prefix="/complaints/{reference}/actions")
_CHANGED = "console:complaint-changed"
_INTO_FORM = {"HX-Retarget": "#action-form", "HX-Reswap": "innerHTML"}
_INTO_NOTICE = {"HX-Retarget": "#action-notice", "HX-Reswap": "innerHTML"}
_IS_MISSING = " is required."


# The panel ------------------------------------------------------------------------------------------------------------


@router.get("")
def show_panel(request: SignedIn, reference: str) -> Response:
    """The panel of all actions, alone or as a page."""
    request.caller.require(Right.READ_OWN)
    panel = request.read(lambda tx: load_panel(request, tx, reference))
    return request.page(_template(request, "fragments/actions.html"), panel=panel, form=None)


def _template(request: PageRequest, part: str) -> str:
    return part if request.is_partial else "pages/actions.html"


# The form of an action ------------------------------------------------------------------------------------------------


@router.get("/{action}")
def show_form(request: SignedIn, reference: str, action: str, template: str = "") -> Response:
    """The form of an action, with the draft of the reader. `template` names one that fills the answer."""
    known = _find_action(action)
    request.caller.require(known.right)
    return _show(request, partial(load_first_form, request, known, reference, template))


def _find_action(name: str) -> FormAction:
    """Raises NotFound for the name of no action."""
    if name not in FORM_ACTIONS:
        raise NotFound("There is nothing at this address.")
    return FORM_ACTIONS[name]


def _show(
    request: PageRequest,
    load: Callable[[Transaction], tuple[ActionPanel | None, ShownForm]],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    panel, form = request.read(load)
    answer = request.page(
        _template(request, "fragments/action_form.html"), status=status, panel=panel, form=form
    )
    answer.headers.update(headers or {})
    return answer


# Taking an action -----------------------------------------------------------------------------------------------------


@router.post("/{action}")
def take_action(request: SignedIn, reference: str, action: str, form: SentForm) -> Response:
    """Take an action. A refused form comes again with everything that was typed."""
    known = _find_action(action)
    request.caller.require(known.right)
    try:
        command = _read_command(request, known, form)
        request.submit(form.attempt, form.body, partial(_take, request, known, reference, form, command))
    except StaleVersion:
        return _show_stale(request, known, reference, form)
    except KeyReused:
        again = InvalidContent(str(request.locale.texts.actions.sent_before))
        return _show_refused(request, known, reference, form, again)
    except ComplaintError as refusal:
        if request.is_partial and refusal.kind != "invalid":
            raise  # into the messages; the form stays as it is
        return _show_refused(request, known, reference, form, refusal)
    return _show_done(request, known, reference)


def _read_command(request: PageRequest, known: FormAction, form: FormFields) -> Command:
    """The command of a form. Raises InvalidContent."""
    controls = make_controls(read_requirements(known.model), FormPlan(known.name), request.locale)
    if known.name == EDIT:
        return read_command(known.model, read_changed_members(controls, form.text))
    members = read_members(controls, form.text)
    return read_command(known.model, {"action": known.name, **members} if known.is_transition else members)


def _take(
    request: PageRequest,
    known: FormAction,
    reference: str,
    form: FormFields,
    command: Command,
    tx: Transaction,
) -> Answer:
    """Take the action, and delete the draft of its form. Afterwards the reader may not know of the complaint."""
    complaint_id = load_known_id(tx, request.caller, reference)
    versions = None if form.version is None else frozenset({form.version})
    known.take(request, tx, reference, command, versions)
    drafts.discard_draft(tx, request.caller, FormName.of(complaint_id, known.name))
    return Answer(204, b"")


def _show_done(request: PageRequest, known: FormAction, reference: str) -> Response:
    """The panel as it is now, and a message. Without scripts, the page of the complaint."""
    if not request.is_partial:
        return RedirectResponse(f"/console/complaints/{quote(reference, safe='')}", 303)
    try:
        panel = request.service.read_newest(lambda tx: load_panel(request, tx, reference))
    except NotFound:  # after the action, the complaint is another team's
        return Response(status_code=204, headers={"HX-Redirect": "/console/"})
    done = request.locale.texts.actions.done[known.name]
    return _tell_scripts(request.page("fragments/action_done.html", panel=panel, form=None, done=done))


def _tell_scripts(answer: Response) -> Response:
    """Let the scripts of the page know that the complaint changed."""
    events = (answer.headers.get("HX-Trigger"), _CHANGED)
    answer.headers["HX-Trigger"] = ", ".join(event for event in events if event)
    return answer


def _show_refused(
    request: PageRequest, known: FormAction, reference: str, form: FormFields, refusal: ComplaintError
) -> Response:
    state = refused_form(form, _plainly(refusal, request), request.locale)
    status = problem_for(refusal, request.http.app.state.problems).status
    return _show(
        request,
        partial(load_sent_form, request, known, reference, form, state),
        status=status,
        headers=_INTO_FORM,
    )


def _plainly(refusal: ComplaintError, request: PageRequest) -> ComplaintError:
    """The refusal without the names of members that are missing: their labels stand beside the words."""
    words = str(request.locale.texts.actions.fill_in)
    faults = [
        replace(fault, message=words) if fault.message.endswith(_IS_MISSING) else fault
        for fault in refusal.faults
    ]
    return InvalidContent(refusal.detail, faults=faults) if faults else refusal


def _show_stale(request: PageRequest, known: FormAction, reference: str, form: FormFields) -> Response:
    """What a colleague did. An open form stays as it is, with a notice; else the form comes with it."""
    load = partial(load_sent_form, request, known, reference, form, FormState(), is_stale=True)
    if not request.is_partial or ZONE not in form.values:
        return _tell_scripts(_show(request, load, status=412, headers=_INTO_FORM))
    _, shown = request.read(load)
    answer = request.page("fragments/action_notice.html", status=412, form=shown)
    answer.headers.update(_INTO_NOTICE)
    return _tell_scripts(answer)
