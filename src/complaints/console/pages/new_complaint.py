"""A new complaint, typed while a person is on the phone.

While it is typed, a part of the page shows earlier complaints of the person, fitting categories, and the due times.
"""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from complaints.console.forms import FormFields, FormState, SentForm, refused_form
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.intake_advice import advise
from complaints.console.pages.intake_form import CHANNELS, CONTACT_TO, FIRST, RECURRENCE_OF, read_post
from complaints.console.rendering import html_response, render
from complaints.console.views.category_choices import CategoryChoice, list_choices
from complaints.console.views.due_times import outlook_of
from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import InvalidContent
from complaints.domain.vocabulary import ContactChannel, LinkType, Severity
from complaints.use_cases.access import Right
from complaints.use_cases.commands.complaints import AddLink, CreateComplaint
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.complaints import lists, notes_and_links
from complaints.use_cases.complaints.intake import ContactWords, add_contact, register_one
from complaints.use_cases.complaints.known import load_known_id
from complaints.use_cases.once import Answer, KeyReused
from complaints.use_cases.service import Transaction

router = APIRouter()


@router.get("/new")
def show_form(request: SignedIn) -> Response:
    """An empty form."""
    request.caller.require(Right.CREATE)
    return _form(request, FormState(FIRST), FormFields({}, b""))


@router.post("/new")
def save_complaint(request: SignedIn, form: SentForm) -> Response:
    """Save the complaint, or add the call to an earlier one. A form with faults is shown again as it was typed."""
    request.caller.require(Right.CREATE)
    work = _add_call if form.text(CONTACT_TO) else _register
    try:
        answer = request.submit(form.attempt, form.body, lambda tx: work(request, tx, form))
    except InvalidContent as refusal:
        state = refused_form(form, refusal, request.locale)
        if isinstance(refusal, KeyReused):
            state = replace(state, fault=request.locale.texts.new_complaint.saved_before)
        return _form(request, state, form, status=422)
    where = answer.headers["Location"]
    if request.is_partial:
        return html_response("", headers={"HX-Redirect": where})
    return RedirectResponse(where, 303)


@router.post("/new/advice")
def show_advice(request: SignedIn, form: SentForm) -> Response:
    """What is known about the complaint that is typed. Nothing is saved."""
    request.caller.require(Right.CREATE)
    advice = request.read(lambda tx: advise(request, tx, form))
    template = "fragments/intake_advice.html"
    return html_response(render(template, locale=request.locale, viewer=request.viewer, advice=advice))


def _form(request: PageRequest, state: FormState, form: FormFields, *, status: int = 200) -> Response:
    template = "fragments/new_complaint_form.html" if request.is_partial else "pages/new_complaint.html"
    values = request.read(lambda tx: {"advice": advise(request, tx, form), "choices": _choices(request, tx)})
    return request.page(
        template,
        status=status,
        form=state,
        channels=CHANNELS,
        severities=list(Severity),
        contact_channels=list(ContactChannel),
        **values,
    )


def _choices(request: PageRequest, tx: Transaction) -> list[CategoryChoice]:
    return list_choices(request.service.configuration(tx).categories, request.locale)


def _register(request: PageRequest, tx: Transaction, form: FormFields) -> Answer:
    service, caller = request.service, request.caller
    command = read_post(form, _choices(request, tx), request.locale)
    complaint = register_one(service, tx, caller, command).complaint
    if earlier := form.text(RECURRENCE_OF):
        link = AddLink(type=LinkType.RECURRENCE_OF, complaint_id=earlier)
        notes_and_links.add_link(service, tx, caller, str(complaint.id), link)
    request.http.scope["state"]["complaint"] = str(complaint.id)  # for the request log
    return Answer(303, b"", {"Location": f"/console/new/{number_of(complaint.sequence)}"})


def _add_call(request: PageRequest, tx: Transaction, form: FormFields) -> Answer:
    """Put the words on the earlier complaint that the user named: its assignee and first owner hear of them."""
    command = read_command(
        CreateComplaint,
        {name: text for name in ("channel", "subject", "description") if (text := form.text(name).strip())},
    )
    known = load_known_id(tx, request.caller, form.text(CONTACT_TO), Right.SEE_PERSONS)
    text = "\n".join(part for part in (command.subject, command.description) if part)
    words = ContactWords(command.channel, text)
    complaint = add_contact(request.service, tx, known, words, caller=request.caller).complaint
    request.http.scope["state"]["complaint"] = str(complaint.id)
    return Answer(303, b"", {"Location": f"/console/new/{number_of(complaint.sequence)}?added=1"})


# After saving -------------------------------------------------------------------------------------------------------


@router.get("/new/{number}")
def show_saved(request: SignedIn, number: str, added: bool = False) -> Response:
    """The number, the words to tell the person, and the due times. `added`: the call went to an earlier complaint."""
    request.caller.require(Right.CREATE)
    values = request.read(lambda tx: _saved(request, tx, number))
    return request.page("pages/saved_complaint.html", added=added, **values)


def _saved(request: PageRequest, tx: Transaction, reference: str) -> dict[str, Any]:
    view = lists.load_view(request.service, tx, request.caller, reference)
    complaint, configuration = view.complaint, request.service.configuration(tx)
    policy = configuration.policy(complaint.policy_code, complaint.policy_version)
    person, number = view.persons.get("complainant"), number_of(complaint.sequence)
    language = (person.language if person else None) or str(request.locale.language)
    return {
        "number": number,
        "subject": complaint.subject,
        "acknowledgement": policy.acknowledgement_for(language, number=number),
        "outlook": outlook_of(
            complaint, now=tx.now, directory=configuration.directory, locale=request.locale
        ),
    }
