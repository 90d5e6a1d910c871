"""One verb on many complaints: its form, the results of each complaint, and the way back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic_core import from_json
from starlette.responses import JSONResponse, Response

from complaints.api.http import strict_json
from complaints.api.problems.catalogue import problem_for
from complaints.api.problems.translations import say
from complaints.console.forms import FormFields, FormState, SentForm, refused_form
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.views.addresses import ListAddress
from complaints.console.views.bulk_forms import ASKS_ABOVE, NOTE, VERBS, fields_of, members_of
from complaints.console.views.list_queries import read_list_query
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import ComplaintError, InvalidContent, NotFound, StaleVersion
from complaints.domain.vocabulary import Action
from complaints.use_cases.access import Right
from complaints.use_cases.bulk import MOST_ITEMS, BulkItem, BulkWork
from complaints.use_cases.commands.complaints import TRANSITIONS, AddNote
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.complaints import lists, matching, undoing
from complaints.use_cases.complaints.bulk_actions import add_note_to_many, take_action_on_many
from complaints.use_cases.complaints.bulk_commands import ComplaintSelection
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.complaints.lists import Order, SortKey
from complaints.use_cases.complaints.undoing import BulkUndo

router = APIRouter()
_IDS, _STEPS, _EXPECTED = "id", "step", "expected"
Results = Sequence[Mapping[str, Any]]


@router.get("/bulk")
def show_form(
    request: SignedIn,
    verb: str,
    ids: Annotated[list[str], Query(alias=_IDS)] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """The form of a verb. `id` names the complaints; a script of the page adds them later."""
    request.caller.require(Right.WORK)
    return _show(request, _known(verb), FormState(), ids=ids, count=len(ids))


def _known(verb: str) -> str:
    if verb not in VERBS:
        raise NotFound("There is nothing at this address.")
    return verb


def _show(
    request: PageRequest, verb: str, form: FormState, *, ids: Sequence[str], count: int, status: int = 200
) -> Response:
    directory = request.read(lambda tx: request.service.configuration(tx).directory)
    template = "fragments/bulk_form.html" if request.is_partial else "pages/bulk_form.html"
    return request.page(
        template,
        status=status,
        verb=verb,
        form=form,
        fields=fields_of(verb, request.locale, directory),
        ids=ids,
        count=count,
        asks_above=ASKS_ABOVE,
    )


@router.post("/bulk/undo")
def undo(request: SignedIn, form: SentForm) -> Response:
    """Take an action on many complaints back, where nothing changed since then."""
    asked = read_command(BulkUndo, {"steps": [_read_step(text) for text in form.texts(_STEPS)]})
    results, shown = _Results(request, stale=request.locale.texts.bulk.changed), form.text("verb")
    work = undoing.undo_on_many(request.service, request.caller, asked.steps, results.show)
    return _answer(request, form, "undo_" + shown if shown in VERBS else "undo", work)


def _read_step(text: str) -> Any:
    try:
        return strict_json.loads(text.encode())
    except ComplaintError as error:
        raise InvalidContent.at("/steps", "must be the steps that a form of this page has") from error


@router.post("/bulk/{verb}")
def do(request: SignedIn, verb: str, form: SentForm) -> Response:
    """Do it with at most 500 complaints. Each has a result of its own; a refused one stops no other."""
    ids = form.texts(_IDS)
    try:
        return _answer(request, form, verb, _plan(request, _known(verb), form, ids))
    except InvalidContent as refusal:
        state = refused_form(form, refusal, request.locale)
        status = problem_for(refusal, request.http.app.state.problems).status
        return _show(request, verb, state, ids=ids, count=_count(form, ids), status=status)


def _count(form: FormFields, ids: Sequence[str]) -> int:
    """The number of all complaints that were ticked: they come in several parts."""
    told = form.number("count")
    return len(ids) if told is None else told


def _plan(request: PageRequest, verb: str, form: FormFields, ids: Sequence[str]) -> BulkWork:
    """The work that a form asks. Raises InvalidContent for a fault in a field."""
    directory = request.read(lambda tx: request.service.configuration(tx).directory)
    sent = {field.name: form.text(field.name) for field in fields_of(verb, request.locale, directory)}
    members = members_of(verb, sent, request.locale)
    if verb == Action.ASSIGN and not any(sent.values()):
        raise InvalidContent.at("/team", "Choose a team, an assignee, or both.")
    if _count(form, ids) > ASKS_ABOVE and not form.text("confirmed"):
        raise InvalidContent.at("/confirmed", "Say that you mean all of them.")
    if not 0 < len(ids) <= MOST_ITEMS:
        raise InvalidContent.at("/id", f"Tick 1 to {MOST_ITEMS} complaints.")
    chosen, results = ComplaintSelection(complaints=tuple(ids)), _Results(request)
    if verb == NOTE:
        note = read_command(AddNote, members)
        return add_note_to_many(request.service, request.caller, chosen, note, results.show)
    command: Any = read_command(TRANSITIONS[Action(verb)], members)
    return take_action_on_many(
        request.service, request.caller, chosen, command, results.show, note=results.note(Action(verb))
    )


class _Results:
    """Shows the result of each complaint, with the step that takes it back.

    `stale` are the words for a complaint that changed meanwhile; "": those of the refusal.
    """

    def __init__(self, request: PageRequest, *, stale: str = "") -> None:
        self._language, self._stale = request.locale.language, stale
        self._steps: dict[str, str] = {}

    def note(self, action: Action) -> Callable[[str, Complaint, Complaint], None]:
        """The function that notes how `action` is taken back."""

        def note(reference: str, before: Complaint, after: Complaint) -> None:
            if (step := undoing.plan_undo(action, before, after)) is not None:
                self._steps[reference] = step.model_dump_json(exclude_unset=True)

        return note

    def show(self, item: BulkItem) -> dict[str, Any]:
        """The result of an item as JSON."""
        step = self._steps.get(item.reference, "")
        return {"complaint": item.reference, "refused": self._say(item.refusal), "step": step}

    def _say(self, refusal: ComplaintError | None) -> str:
        if refusal is None:
            return ""
        is_stale = isinstance(refusal, StaleVersion) and self._stale
        return self._stale if is_stale else say(refusal.detail, self._language)


def _answer(request: PageRequest, form: FormFields, verb: str, work: BulkWork) -> Response:
    """The results of this part. The message counts the parts before it too: `done` says how many succeeded there."""
    answer = request.submit_in_parts(form.attempt, form.body, work)
    results: Results = from_json(answer.body)["items"]
    failed = [one for one in results if one["refused"]]
    done = len(results) - len(failed) + (form.number("done") or 0)
    template = "fragments/bulk_results.html" if request.is_partial else "pages/bulk_results.html"
    return request.page(
        template,
        verb=verb,
        done=done,
        failed=_with_names(request, failed),
        steps=[one["step"] for one in results if one["step"]],
        form=FormState(),
    )


def _with_names(request: PageRequest, failed: Results) -> Results:
    """The failed ones with number and subject, where the reader may know of the complaint."""
    ids = [UUID(one["complaint"]) for one in failed if _is_id(one["complaint"])]
    if not ids:
        return failed
    order = Order(SortKey.NEXT_DUE_AT)
    known = request.read(
        lambda tx: lists.show_complaints(request.service, tx, request.caller, ids, ComplaintFilter(), order)
    )
    names = {str(one.members["id"]): one.members for one in known.found}
    return [
        {**one, "number": number_of(found["sequence"]), "subject": found["subject"]}
        if (found := names.get(one["complaint"]))
        else one
        for one in failed
    ]


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@router.get("/bulk/matching")
def list_matching(request: SignedIn, expected: Annotated[int, Query(ge=0, le=1_000_000)]) -> Response:
    """All complaints that fit the filter of a list, for ticks: id, number, status in words, actions.

    `expected` is the number that the reader saw. Another number is refused, so nobody ticks what was never seen.
    """
    sent = [pair for pair in request.http.query_params.multi_items() if pair[0] != _EXPECTED]
    query = read_list_query(ListAddress.of("", sent))
    found = request.read(
        lambda tx: matching.find_matching(request.service, tx, request.caller, query.asked(tx.now), expected)
    )
    word = request.locale.word
    content = [[str(one.id), one.number, word("status", one.status), " ".join(one.actions)] for one in found]
    return JSONResponse(content, headers={"Cache-Control": "no-store"})
