"""What the page of a new complaint says before it is saved: earlier complaints, fitting categories, due times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from complaints.api.request import note_persons
from complaints.console.forms import FormFields
from complaints.console.page_request import PageRequest
from complaints.console.pages.intake_form import MARKS, RECURRENCE_OF, read_so_far
from complaints.console.views.category_choices import CategoryChoice, list_choices, suggest_categories
from complaints.console.views.due_times import IntakeOutlook, outlook_of
from complaints.console.views.rows import ListRow, row_of
from complaints.domain.errors import ComplaintError
from complaints.domain.vocabulary import OPEN_STATUSES
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.complaints import lists
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.complaints.intake_trial import try_intake
from complaints.use_cases.complaints.lists import Order, SortKey
from complaints.use_cases.complaints.views import ComplaintParts
from complaints.use_cases.service import Transaction

_MOST_EARLIER = 5
_NEWEST = Order(SortKey.RECEIVED_AT, descending=True)


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


def advise(request: PageRequest, tx: Transaction, form: FormFields) -> Advice:
    """What is known about the complaint of a form that is still typed. Nothing is saved."""
    configuration = request.service.configuration(tx)
    choices = list_choices(configuration.categories, request.locale)
    command = read_so_far(form, choices, request.locale)
    texts = (form.text("subject"), form.text("description"))
    outlook, fault = None, ""
    try:
        complaint = try_intake(request.service, tx, request.caller, command)
        outlook = outlook_of(complaint, now=tx.now, directory=configuration.directory, locale=request.locale)
    except ComplaintError as refusal:
        fault = request.locale.refusal(refusal.detail)
    suggested = () if command.category else suggest_categories(choices, configuration.categories, *texts)
    return Advice(
        earlier=_find_earlier(request, tx, command),
        looked=any(getattr(command.complainant, mark, None) for mark in MARKS),
        suggested=suggested,
        outlook=outlook,
        fault=fault,
        recurrence_of=form.text(RECURRENCE_OF),
        now=tx.now,
    )


def _find_earlier(
    request: PageRequest, tx: Transaction, command: CreateComplaint
) -> list[EarlierComplaintRow]:
    """The newest complaints with the account number, the phone or the e-mail of the person, each once."""
    found: dict[Any, tuple[str, ComplaintParts]] = {}
    for mark in MARKS:
        value = getattr(command.complainant, mark, None)
        if value is not None:
            asked = ComplaintFilter.model_validate({mark: value})
            listed, _ = lists.list_complaints(
                request.service, tx, request.caller, asked, _NEWEST, after=None, limit=_MOST_EARLIER
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
