"""Search: a number opens its complaint, words and filters find complaints, the newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from complaints.api.complaints.list_orders import read_cursor, write_cursor
from complaints.console.forms import FormState
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.rows import make_rows
from complaints.console.views.bulk_forms import KEYS, VERBS
from complaints.console.views.category_choices import list_choices
from complaints.domain.complaint.numbers import is_mistyped, number_of, sequence_of
from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.vocabulary import Channel, Status
from complaints.use_cases.access import Right
from complaints.use_cases.commands.field_types import parse_day
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.complaints import lists
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.complaints.follow_ups import midnight
from complaints.use_cases.complaints.known import is_known
from complaints.use_cases.complaints.lists import Order, SortKey
from complaints.use_cases.service import Transaction

router = APIRouter()
_PAGE = 50
_MOST_COUNTED = 500
_CURSOR = "console-search"
_NEWEST = Order(SortKey.RECEIVED_AT, descending=True)
FILTERS = ("q", "status", "team", "category", "channel")
OF_PERSONS = ("phone", "name")
_DAYS = {"from": ("received_from", 0), "to": ("received_to", 1)}
_TOLD = (*FILTERS, *OF_PERSONS, *_DAYS)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A page of complaints. `count` None: it was not counted. `is_minimum`: there are more than these."""

    parts: list[Any]
    count: int | None
    is_minimum: bool
    next_cursor: str | None


@router.get("/search")
def search(request: SignedIn) -> Response:
    """The complaints that fit. The filters stand in the address."""
    request.caller.require(Right.READ_OWN)
    query = request.http.query_params
    told = {name: query.get(name, "").strip() for name in _TOLD if query.get(name, "").strip()}
    number = told.get("q", "")
    sequence = sequence_of(number)
    if sequence is not None and request.read(lambda tx: is_known(tx, request.caller, sequence)):
        return RedirectResponse(f"/console/complaints/{number_of(sequence)}", 303)
    try:
        asked = _filter_of(told, request.locale.zone) if told else None
        values = request.read(lambda tx: _find(request, tx, asked, query.get("cursor"), told))
    except InvalidContent as refusal:
        state = _refused(told, refusal, request)
        values = request.read(lambda tx: _shown(request, tx, None, told))
        return request.page("pages/search.html", status=422, form=state, mistyped="", **values)
    mistyped = number if sequence is not None or is_mistyped(number) else ""
    return request.page("pages/search.html", form=FormState(told), mistyped=mistyped, **values)


def _filter_of(told: Mapping[str, str], zone: str) -> ComplaintFilter:
    """The filter of the form. Days are local days of the reader, and both are included. Raises InvalidContent."""
    members: dict[str, Any] = {name: told[name] for name in (*FILTERS, *OF_PERSONS) if name in told}
    if "status" in members:
        members["status"] = [members["status"]]
    for name, (member, days) in _DAYS.items():
        if name in told:
            try:
                day = parse_day(told[name])
            except ValueError as error:
                raise InvalidContent.at(f"/{name}", str(error)) from None
            members[member] = midnight(day + timedelta(days=days), zone)
    return read_command(ComplaintFilter, members)


def _refused(told: Mapping[str, str], refusal: InvalidContent, request: PageRequest) -> FormState:
    """The form with the faults where they belong: at the member, or at the parameter of the same name."""

    def place(fault: Fault) -> str:
        return fault.parameter or fault.pointer.removeprefix("/")

    locale = request.locale
    faults = {place(fault): locale.refusal(fault.message) for fault in refusal.faults}
    outside = "" if faults.keys() <= {*_TOLD} and faults else locale.refusal(refusal.detail)
    return FormState(told, faults, outside)


def _find(
    request: PageRequest,
    tx: Transaction,
    asked: ComplaintFilter | None,
    cursor: str | None,
    told: Mapping[str, str],
) -> dict[str, Any]:
    result = None if asked is None else _search(request, tx, asked, cursor)
    return _shown(request, tx, result, told)


def _search(
    request: PageRequest, tx: Transaction, asked: ComplaintFilter, cursor: str | None
) -> SearchResult:
    """A page. Only the first page of several is counted."""
    bound = {"kind": _CURSOR, "filters": asked.digest()}
    after = read_cursor(cursor, bound, _NEWEST)
    found, end = lists.list_complaints(
        request.service, tx, request.caller, asked, _NEWEST, after=after, limit=_PAGE
    )
    written = write_cursor(end, bound)
    if cursor is not None:
        return SearchResult(found, None, False, written)
    if written is None:
        return SearchResult(found, len(found), False, None)
    counted = lists.count_views(request.service, tx, request.caller, asked, most=_MOST_COUNTED)
    return SearchResult(found, counted.count, counted.is_minimum, written)


def _shown(
    request: PageRequest, tx: Transaction, result: SearchResult | None, told: Mapping[str, str]
) -> dict[str, Any]:
    configuration, locale = request.service.configuration(tx), request.locale
    rows = make_rows(request, tx, result.parts if result else ())
    teams = [team for team in configuration.directory.teams.values() if team.active]
    return {
        "result": result,
        "rows": rows,
        "statuses": list(Status),
        "channels": list(Channel),
        "teams": [{"code": team.code, "label": locale.name(team.names, team.code)} for team in teams],
        "choices": list_choices(configuration.categories, locale),
        "can_work": Right.WORK in request.caller.rights,
        "verbs": VERBS,
        "keys_of_verbs": KEYS,
        "sees_persons": Right.SEE_PERSONS in request.caller.rights,
        "next_page": f"?{urlencode({**told, 'cursor': result.next_cursor})}"
        if result and result.next_cursor
        else "",
    }
