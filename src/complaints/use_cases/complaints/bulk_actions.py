"""One action or one note on many complaints. Each item is the use case of a single call, with its rights and errors."""

from collections.abc import Callable, Sequence
from functools import partial

from complaints.domain.complaint.facts import Complaint
from complaints.domain.vocabulary import Action
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.complaint_filters import Order, SortKey
from complaints.storage.queries.complaint_lists import find_page
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.bulk import (
    MOST_ITEMS,
    BulkWork,
    ShowItem,
    check_choice,
    check_count,
    check_named_once,
)
from complaints.use_cases.commands.complaints import AddNote, Transition
from complaints.use_cases.complaints.actions import transition
from complaints.use_cases.complaints.bulk_commands import ComplaintSelection
from complaints.use_cases.complaints.filters import ComplaintFilter, filters_of
from complaints.use_cases.complaints.notes_and_links import add_note
from complaints.use_cases.service import Service

_NEWEST_FIRST = Order(SortKey.RECEIVED_AT, descending=True)


def _note_nothing(_reference: str, _before: Complaint, _after: Complaint) -> None:
    """Note nothing: most callers do not undo."""


def take_action_on_many(
    service: Service,
    caller: Caller,
    chosen: ComplaintSelection,
    command: Transition,
    show: ShowItem,
    *,
    note: Callable[[str, Complaint, Complaint], None] = _note_nothing,
) -> BulkWork:
    """The work of one action on the chosen complaints. Raises Forbidden without the right to work.

    `note` gets the reference of each complaint that was changed, and the complaint before and after the action.
    """
    into = (command.into,) if command.action is Action.MERGE else ()

    def prepare(tx: Transaction, references: Sequence[str]) -> None:
        load.lock_in_order(tx, [*references, *into])

    def act(tx: Transaction, reference: str) -> None:
        before: list[Complaint] = []
        after = transition(service, tx, caller, reference, command, None, note_before=before.append)
        note(reference, before[0], after)

    return _work(service, caller, chosen, prepare, act, show)


def add_note_to_many(
    service: Service, caller: Caller, chosen: ComplaintSelection, command: AddNote, show: ShowItem
) -> BulkWork:
    """The work of one note on the chosen complaints. Raises Forbidden without the right to work."""

    def act(tx: Transaction, reference: str) -> None:
        add_note(service, tx, caller, reference, command)

    return _work(service, caller, chosen, load.lock_in_order, act, show)


def _work(
    service: Service,
    caller: Caller,
    chosen: ComplaintSelection,
    prepare: Callable[[Transaction, Sequence[str]], None],
    act: Callable[[Transaction, str], None],
    show: ShowItem,
) -> BulkWork:
    caller.require(Right.WORK)
    check_choice("complaints", chosen.complaints, chosen.filter, chosen.expected_count)
    return BulkWork(partial(_find_complaints, service, caller, chosen), act, show, prepare)


def _find_complaints(
    service: Service, caller: Caller, chosen: ComplaintSelection, tx: Transaction
) -> Sequence[str]:
    """The chosen complaints, as the caller named them, or by id if a filter chose them.

    Raises InvalidContent for a complaint that is named twice, and the refusals of `check_count` and `filters_of`.
    """
    if chosen.filter is not None:
        return _find_fitting(service, caller, chosen.filter, chosen.expected_count, tx)
    references = chosen.complaints or ()
    ids = load.find_ids(tx, references, scope=caller.scope)
    check_named_once([ids.get(reference, reference) for reference in references], "complaints")
    return references


def _find_fitting(
    service: Service, caller: Caller, asked: ComplaintFilter, expected: int | None, tx: Transaction
) -> Sequence[str]:
    filters = filters_of(service, tx, caller, asked)
    page = find_page(tx, filters, _NEWEST_FIRST, after=None, limit=MOST_ITEMS)
    check_count(len(page.complaints) + (page.end is not None), expected)
    return [str(complaint.id) for complaint in page.complaints]
