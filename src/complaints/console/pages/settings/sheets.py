"""A sheet is a form of the settings on a page of its own: to create, to change, or to confirm. It works once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.responses import RedirectResponse, Response

from complaints.api.problems.catalogue import problem_for
from complaints.console.forms import FormFields, FormState
from complaints.console.page_request import PageRequest
from complaints.console.pages.settings.fields import FormField, read_members, show_again, show_values
from complaints.console.pages.settings.layout import show_part
from complaints.domain.errors import ComplaintError, InvalidContent
from complaints.use_cases.commands.field_types import Content
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.once import Answer
from complaints.use_cases.service import Transaction

C = TypeVar("C", bound=Content)
FRAGMENT = "settings/form_fragment.html"


@dataclass(frozen=True, slots=True)
class SubmitButton:
    """A button that sends the form. The form then has `name` as its field `do`."""

    name: str
    label: str
    tone: str = "primary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A form. `part` is the part of the settings, `action` gets the form, and `back` is where "Cancel" leads.

    `changes`: it changes something that exists.
    """

    part: str
    title: str
    action: str
    back: str
    fields: Sequence[FormField] = ()
    submits: Sequence[SubmitButton] = ()
    question: str = ""
    changes: bool = False


def make_sheet(
    request: PageRequest,
    form_name: str,
    part: str,
    *,
    back: str,
    fields: Sequence[FormField] = (),
    danger: bool = False,
    changes: bool = False,
    **parts: Any,
) -> Sheet:
    """The sheet with the texts of `form_name`, at the path of the request. `parts` fill the braces of the texts."""
    words = request.locale.texts.settings.forms[form_name]
    submit = SubmitButton("send", words.button, "danger" if danger else "primary")
    return Sheet(
        part=part,
        title=words.title.format(**parts),
        action=request.http.url.path,
        back=back,
        fields=fields,
        submits=(submit,),
        question=words.question.format(**parts) if "question" in words else "",
        changes=changes,
    )


def show_sheet(
    request: PageRequest, sheet: Sheet, found: dict[str, Any] | None = None, **values: Any
) -> Response:
    """The answer with an empty form, or with the values of `found`."""
    return show_state(request, sheet, show_values(sheet.fields, found or {}, request.locale), **values)


def show_state(
    request: PageRequest, sheet: Sheet, state: FormState, *, status: int = 200, **values: Any
) -> Response:
    """The answer with a form in this state: the form alone for a script, else the page."""
    if request.is_partial:
        return request.page(FRAGMENT, status=status, sheet=sheet, form=state, part=sheet.part, **values)
    return show_part(
        request,
        sheet.part,
        "settings/form.html",
        title=sheet.title,
        sheet=sheet,
        form=state,
        status=status,
        **values,
    )


def command_of(request: PageRequest, sheet: Sheet, form: FormFields, model: type[C], **members: Any) -> C:
    """The command that a form sends, by the rules of the API. `members` go before the fields. Raises InvalidContent."""
    found = read_members(form, sheet.fields, request.locale, changes=sheet.changes)
    return read_command(model, {**found, **members})


def send_sheet(
    request: PageRequest, sheet: Sheet, form: FormFields, work: Callable[[Transaction], str]
) -> Response:
    """Do what the form asks, once, and go to the address that `work` returns. A refusal shows the form again."""

    def answer(tx: Transaction) -> Answer:
        return Answer(303, b"", {"Location": work(tx)})

    try:
        done = request.configure(form.attempt, form.body, answer)
    except ComplaintError as refusal:
        return refuse(request, sheet, form, refusal)
    return go(request, done.headers["Location"])


def refuse(request: PageRequest, sheet: Sheet, form: FormFields, refusal: ComplaintError) -> Response:
    """The form again with its faults. For a script, other refusals than faults go to the messages of the page."""
    if request.is_partial and not isinstance(refusal, InvalidContent):
        raise refusal
    status = problem_for(refusal, request.http.app.state.problems).status
    return show_state(request, sheet, show_again(form, sheet.fields, refusal, request.locale), status=status)


def go(request: PageRequest, address: str) -> Response:
    """The answer after a form: the browser opens the page at `address`."""
    if request.is_partial:
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def saved(address: str) -> str:
    """The address of a page that says that a form was saved."""
    return f"{address}?done=saved"
