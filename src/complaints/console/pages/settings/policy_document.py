"""A policy document by form: check it, and apply it as the next version of its policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.problems.translations import say
from complaints.console.forms import FormFields, FormState, SentForm
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings.fields import FieldKind, make_field, read_members
from complaints.console.pages.settings.layout import address_of
from complaints.console.pages.settings.sheets import (
    Sheet,
    SubmitButton,
    go,
    refuse,
    saved,
    show_sheet,
    show_state,
)
from complaints.domain.errors import ComplaintError, Fault, InvalidContent
from complaints.use_cases.access import Right
from complaints.use_cases.commands.field_types import Content, Instant
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.configuration import policies
from complaints.use_cases.once import Answer
from complaints.use_cases.policy_document.effective_dates import set_effective_at
from complaints.use_cases.service import Transaction

router = PrefixedRouter(prefix="/policies/document")
PART = "policies"


class SentDocument(Content):
    """A policy document, and the date of effect that goes into it; None: the date that stands there."""

    document: str = ""
    effective_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the result of a check."""

    text: str
    tone: str


def _sheet(request: PageRequest) -> Sheet:
    request.caller.require(Right.CONFIGURE)
    locale = request.locale
    words = locale.texts.settings.forms.policy_document
    return Sheet(
        part=PART,
        title=words.title,
        action=address_of(PART, "document"),
        back=address_of(PART),
        fields=(
            make_field(locale, "document", FieldKind.DOCUMENT, required=True),
            make_field(locale, "effective_at", FieldKind.INSTANT),
        ),
        submits=(SubmitButton("check", words.check), SubmitButton("apply", words.button, "")),
    )


@router.get("")
def show_form(
    request: SignedIn,
    code: str | None = None,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """The empty form, or one with the document of a version."""
    sheet = _sheet(request)
    if code is None or version is None:
        return show_sheet(request, sheet)
    configuration = request.read(lambda tx: request.service.cache.current(tx, certain=True))
    _, text = request.read(lambda tx: policies.load_policy(tx, configuration, code, version))
    return show_sheet(request, sheet, {"document": text})


@router.post("")
def send_form(request: SignedIn, form: SentForm) -> Response:
    """Check the document, and apply it if the form says so. The faults stand there with their lines."""
    sheet = _sheet(request)
    try:
        text = _text_of(request, sheet, form)
        if form.text("do") == "apply":
            return _apply(request, sheet, form, text)
        reading = request.read(
            lambda tx: policies.validate_policy(
                text, request.service.cache.current(tx, certain=True), now=tx.now
            )
        )
    except InvalidContent as refusal:
        return _show_faults(request, sheet, form, refusal)
    except ComplaintError as refusal:
        return refuse(request, sheet, form, refusal)
    words = request.locale.texts.settings
    lines = [_Line(words.no_faults, "good"), *_warnings(request, reading.warnings)]
    return show_state(request, sheet, _state(form), lines=lines)


def _text_of(request: PageRequest, sheet: Sheet, form: FormFields) -> str:
    """The document with the date of effect of the form. Lines end with one line feed."""
    sent = read_command(SentDocument, read_members(form, sheet.fields, request.locale))
    moved: datetime | None = sent.effective_at
    return sent.document if moved is None else set_effective_at(sent.document, moved)


def _apply(request: PageRequest, sheet: Sheet, form: FormFields, text: str) -> Response:
    warnings: list[Fault] = []

    def work(tx: Transaction) -> Answer:
        applied = policies.apply_policy(request.service, tx, request.caller, text)
        warnings[:] = applied.warnings
        address = address_of(PART, applied.policy.code, applied.policy.version)
        return Answer(303, b"", {"Location": saved(address)})

    done = request.configure(form.attempt, form.body, work)
    if not warnings:
        return go(request, done.headers["Location"])
    words = request.locale.texts.settings
    lines = [_Line(words.applied_with_warnings, "good"), *_warnings(request, warnings)]
    return show_state(request, sheet, _state(form), lines=lines)


def _show_faults(request: PageRequest, sheet: Sheet, form: FormFields, refusal: InvalidContent) -> Response:
    language = request.locale.language
    faults = refusal.faults or (Fault("", refusal.detail),)
    lines = [_Line(say(fault.message, language), "fault") for fault in faults]
    title = str(request.locale.texts.settings.faulty).format(count=len(lines))
    return show_state(request, sheet, _state(form, title), status=422, lines=lines)


def _state(form: FormFields, fault: str = "") -> FormState:
    return FormState({name: form.text(name) for name in ("document", "effective_at")}, {}, fault)


def _warnings(request: PageRequest, found: Sequence[Fault]) -> list[_Line]:
    form = str(request.locale.texts.settings.warning)
    return [_Line(form.format(text=say(one.message, request.locale.language)), "warning") for one in found]
