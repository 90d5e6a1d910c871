"""A new complaint, typed while a person is on the phone.

While it is typed, a part of the page shows earlier complaints of the person, fitting categories, and the due times.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from complaints.api.request import note_persons
from complaints.console.forms import FormFields, FormState, SentForm, refused_form
from complaints.console.locale import Locale
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.rendering import html_response
from complaints.console.views.category_choices import (
    CategoryChoice,
    find_choice,
    list_choices,
    suggest_categories,
)
from complaints.console.views.due_times import IntakeOutlook, list_due_times, outlook_of
from complaints.console.views.rows import ListRow, row_of
from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import ComplaintError, Fault, InvalidContent
from complaints.domain.time.zones import zone_of
from complaints.domain.vocabulary import (
    OPEN_STATUSES,
    Channel,
    ContactChannel,
    LinkType,
    Severity,
)
from complaints.use_cases.access import Right
from complaints.use_cases.commands.complaints import AddLink, CreateComplaint
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.complaints import lists, notes_and_links
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.complaints.intake import ContactWords, add_contact, register_one
from complaints.use_cases.complaints.intake_trial import try_intake
from complaints.use_cases.complaints.known import load_known_id
from complaints.use_cases.complaints.lists import Order, SortKey
from complaints.use_cases.complaints.views import ComplaintParts
from complaints.use_cases.once import Answer
from complaints.use_cases.service import Transaction

router = APIRouter()
_CHANNELS = tuple(one for one in Channel if one not in (Channel.API, Channel.IMPORT))
_FIRST = {"channel": Channel.PHONE, "severity": Severity.NORMAL}
_MARKS = ("account_no", "phone", "email")
_PERSONS = ("complainant", "reporter")
_MOST_EARLIER = 5
_NO_SUBJECT_YET = "-"
CONTACT_TO, RECURRENCE_OF = "contact_to", "recurrence_of"
_HELPERS = (CONTACT_TO, RECURRENCE_OF)


@router.get("/new")
def show_form(request: SignedIn) -> Response:
    """An empty form."""
    request.caller.require(Right.CREATE)
    return _form(request, FormState(_FIRST), FormFields({}, b""))


@router.post("/new")
def save_complaint(request: SignedIn, form: SentForm) -> Response:
    """Save the complaint, or add the call to an earlier one. A form with faults is shown again as it was typed."""
    request.caller.require(Right.CREATE)
    work = _add_call if form.text(CONTACT_TO) else _register
    try:
        answer = request.submit(form.attempt, form.body, lambda tx: work(request, tx, form))
    except InvalidContent as refusal:
        return _form(request, refused_form(form, refusal, request.locale.language), form, status=422)
    where = answer.headers["Location"]
    if request.is_partial:
        return html_response("", headers={"HX-Redirect": where})
    return RedirectResponse(where, 303)


def _form(request: PageRequest, state: FormState, form: FormFields, *, status: int = 200) -> Response:
    template = "fragments/new_complaint_form.html" if request.is_partial else "pages/new_complaint.html"
    values = request.read(lambda tx: {"advice": _advise(request, tx, form), "choices": _choices(request, tx)})
    return request.page(
        template,
        status=status,
        form=state,
        channels=_CHANNELS,
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


# What the form says -------------------------------------------------------------------------------------------------


def read_post(form: FormFields, choices: Sequence[CategoryChoice], locale: Locale) -> CreateComplaint:
    """The complaint that the form tells. Raises InvalidContent with all faults."""
    members, faults = _members_of(form, choices, locale)
    try:
        command = read_command(CreateComplaint, members)
    except InvalidContent as refusal:
        raise InvalidContent(refusal.detail, faults=[*faults, *refusal.faults]) from refusal
    if faults:
        raise InvalidContent(faults[0].message, faults=faults)
    return command


def _members_of(
    form: FormFields, choices: Sequence[CategoryChoice], locale: Locale
) -> tuple[dict[str, Any], list[Fault]]:
    """The members of a post, without a category and a time that cannot be read, and the faults of these two."""
    members = {name: value for name, value in form.members().items() if name not in _HELPERS}
    faults = []
    for role in _PERSONS:
        if members.get(role, {}).get("vulnerable"):
            members[role]["vulnerable"] = True
    if tags := members.pop("tags", ""):
        members["tags"] = [tag.strip() for tag in tags.replace("，", ",").split(",") if tag.strip()]
    if typed := members.pop("category", ""):
        if choice := find_choice(choices, typed):
            members["category"] = choice.code
        else:
            faults.append(Fault("/category", "There is no category of this name: choose one of the list."))
    if received := members.pop("received_at", ""):
        if instant := _write_instant(received, locale):
            members["received_at"] = instant
        else:
            faults.append(Fault("/received_at", "must be a date and a time"))
    return members, faults


def _write_instant(text: str, locale: Locale) -> str | None:
    """A time in the zone of the reader, with its offset. None for another text."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (local if local.tzinfo else local.replace(tzinfo=zone_of(locale.zone).info)).isoformat()


# Advice while the form is typed -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EarlierComplaintRow:
    """An earlier complaint of the person. `mark` is the member by which it was found."""

    row: ListRow
    mark: str
    name: str
    received_at: datetime
    is_open: bool
    takes_calls: bool


@dataclass(frozen=True, slots=True)
class Advice:
    """What the page says before the complaint is saved. `looked`: a mark of the person is known.

    `outlook` is None if the complaint cannot be saved yet; `fault` says why.
    """

    earlier: Sequence[EarlierComplaintRow]
    looked: bool
    suggested: Sequence[CategoryChoice]
    outlook: IntakeOutlook | None
    fault: str
    recurrence_of: str
    now: datetime


@router.post("/new/advice")
def advise(request: SignedIn, form: SentForm) -> Response:
    """Earlier complaints, fitting categories and due times for what is typed so far. Nothing is saved."""
    request.caller.require(Right.CREATE)
    advice = request.read(lambda tx: _advise(request, tx, form))
    return request.page("fragments/intake_advice.html", advice=advice)


def _advise(request: PageRequest, tx: Transaction, form: FormFields) -> Advice:
    configuration = request.service.configuration(tx)
    choices = _choices(request, tx)
    command = _read_so_far(form, choices, request.locale)
    texts = (form.text("subject"), form.text("description"))
    outlook, fault = None, ""
    try:
        complaint = try_intake(request.service, tx, request.caller, command)
        outlook = outlook_of(complaint, now=tx.now, directory=configuration.directory, locale=request.locale)
    except ComplaintError as refusal:
        fault = refusal.detail
    suggested = () if command.category else suggest_categories(choices, configuration.categories, *texts)
    return Advice(
        earlier=_find_earlier(request, tx, command),
        looked=any(getattr(command.complainant, mark, None) for mark in _MARKS),
        suggested=suggested,
        outlook=outlook,
        fault=fault,
        recurrence_of=form.text(RECURRENCE_OF),
        now=tx.now,
    )


def _read_so_far(form: FormFields, choices: Sequence[CategoryChoice], locale: Locale) -> CreateComplaint:
    """The members that can be read already: half a phone number is left out."""
    typed, _ = _members_of(form, choices, locale)
    typed.pop("tags", None)
    members = {**_FIRST, "subject": _NO_SUBJECT_YET, **typed}
    try:
        return read_command(CreateComplaint, members)
    except InvalidContent as refusal:
        return read_command(CreateComplaint, _without(members, refusal.faults))


def _without(members: Mapping[str, Any], faults: Iterable[Fault]) -> dict[str, Any]:
    wrong = {fault.pointer.removeprefix("/").replace("/", ".") for fault in faults}
    kept = {name: value for name, value in members.items() if name not in wrong}
    for role in _PERSONS:
        if role in kept:
            kept[role] = {name: value for name, value in kept[role].items() if f"{role}.{name}" not in wrong}
    return {**_FIRST, "subject": _NO_SUBJECT_YET, **kept}


def _find_earlier(
    request: PageRequest, tx: Transaction, command: CreateComplaint
) -> list[EarlierComplaintRow]:
    """The newest complaints with the account number, the phone or the e-mail of the person, each once."""
    found: dict[Any, tuple[str, ComplaintParts]] = {}
    newest = Order(SortKey.RECEIVED_AT, descending=True)
    for mark in _MARKS:
        value = getattr(command.complainant, mark, None)
        if value is not None:
            asked = ComplaintFilter.model_validate({mark: value})
            listed, _ = lists.list_complaints(
                request.service, tx, request.caller, asked, newest, after=None, limit=_MOST_EARLIER
            )
            for parts in listed:
                found.setdefault(parts.members["id"], (mark, parts))
    latest = sorted(found.values(), key=lambda one: one[1].members["received_at"], reverse=True)
    shown = latest[:_MOST_EARLIER]
    note_persons(request.http.scope, (p.members["id"] for _, p in shown if p.persons and p.in_clear))
    return [_earlier_row(request, tx, mark, parts) for mark, parts in shown]


def _earlier_row(
    request: PageRequest, tx: Transaction, mark: str, parts: ComplaintParts
) -> EarlierComplaintRow:
    configuration = request.service.configuration(tx)
    row = row_of(
        parts,
        locale=request.locale,
        directory=configuration.directory,
        categories=configuration.categories,
    )
    is_open = parts.members["status"] in OPEN_STATUSES
    return EarlierComplaintRow(
        row=row,
        mark=mark,
        name=parts.persons.get("complainant", {}).get("name") or "",
        received_at=parts.members["received_at"],
        is_open=is_open,
        takes_calls=is_open and parts.in_clear,
    )


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
        "times": list_due_times(
            [vars(one) for one in complaint.deadlines if one.unmet], tx.now, request.locale
        ),
        "now": tx.now,
    }
