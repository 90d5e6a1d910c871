"""The queue of a team: what nobody has yet, with buttons to take it; and the load of each member."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from complaints.api.work.teams import cursor_of, position_of
from complaints.console.forms import FormState, SentForm
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.rows import make_rows
from complaints.console.views.outcomes import BulkOutcome, outcome_of, say_item
from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import NotFound
from complaints.use_cases.access import Right
from complaints.use_cases.once import Answer
from complaints.use_cases.service import Transaction
from complaints.use_cases.work import loads, queues, taking

router = APIRouter()
_PAGE = 50


@router.get("/teams/{code}/queue")
def show_queue(request: SignedIn, code: str, after: str | None = None) -> Response:
    """The complaints that wait for somebody to take them, the one that is due first on top."""
    return _show(request, code, after=after)


@router.post("/teams/{code}/queue/take")
def take_ticked(request: SignedIn, code: str, form: SentForm) -> Response:
    """Take the ticked complaints. The page then tells how many were taken, and why others were not."""
    request.caller.require(Right.WORK)
    chosen = form.texts("id")
    if not chosen:
        return _show(request, code, note=request.locale.texts.team_queue.none_ticked)
    work = taking.take_many(request.service, request.caller, chosen, say_item(request.locale))
    answer = request.submit_in_parts(form.attempt, form.body, work)
    return _show(request, code, outcome=outcome_of(answer.body))


@router.post("/teams/{code}/queue/next")
def take_next(request: SignedIn, code: str, form: SentForm) -> Response:
    """Take the complaint that is due first, and open it. With nothing there, the page says so."""

    def work(tx: Transaction) -> Answer:
        taken = taking.take_next(request.service, tx, request.caller, code)
        return Answer(200, number_of(taken.sequence).encode())

    try:
        answer = request.submit(form.attempt, form.body, work)
    except NotFound as refusal:
        return _show(request, code, note=request.locale.refusal(refusal.detail))
    address = f"/console/complaints/{answer.body.decode()}"
    if request.is_partial:
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def _show(
    request: PageRequest,
    code: str,
    *,
    after: str | None = None,
    outcome: BulkOutcome | None = None,
    note: str = "",
) -> Response:
    request.caller.require(Right.READ)
    values = request.read(lambda tx: _find(request, tx, code, after))
    template = "fragments/team_queue.html" if request.is_partial else "pages/team_queue.html"
    return request.page(template, form=FormState(), outcome=outcome, note=note, **values)


def _find(request: PageRequest, tx: Transaction, code: str, after: str | None) -> dict[str, Any]:
    service, caller = request.service, request.caller
    place = None if after is None else position_of(after, code)
    found, end = queues.list_queue(service, tx, caller, code, after=place, limit=_PAGE)
    supervises = Right.SUPERVISE in caller.rights and not request.is_partial
    return {
        "team": service.configuration(tx).directory.teams[code],
        "rows": make_rows(request, tx, found),
        "more": cursor_of(end, code),
        "loads": loads.list_team_load(service, tx, caller, code) if supervises else [],
        "may_take": Right.WORK in caller.rights,
    }
