"""The overdue complaints: how many, whose, how late; the most overdue first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from complaints.api.complaints.list_orders import choose_order, read_cursor, write_cursor
from complaints.console.forms import FormState
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.rows import make_rows
from complaints.console.saved_views import make_links, own_teams, read_with_views
from complaints.console.views import list_filters
from complaints.console.views.addresses import ListAddress
from complaints.console.views.bulk_forms import KEYS, VERBS
from complaints.console.views.clock_badges import SOON
from complaints.console.views.due_strip import DueStrip, strip_of
from complaints.console.views.list_filters import FilterReference
from complaints.console.views.list_queries import DueListQuery, Show, read_list_query
from complaints.console.views.rows import COLUMNS, ListRow, choose_columns
from complaints.domain.instants import write_instant
from complaints.use_cases.access import Right
from complaints.use_cases.complaints import lists
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.complaints.lists import DueFigures, ListCount
from complaints.use_cases.complaints.matching import MOST_MATCHING
from complaints.use_cases.service import Transaction
from complaints.use_cases.work.saved_views import SavedView

router = APIRouter()
PAGE = "/console/overdue"
_ROWS = 50
_NO_FILTERS = frozenset({"show", "sort", "columns", "cursor"})
_EXPORTED = "number,subject,status,priority,team,assignee,category,region,channel,received_at,next_due_at"


@dataclass(frozen=True, slots=True)
class _Found:
    """The answers of the database for one page, at `now`. `count` is of the whole list."""

    now: datetime
    asked: ComplaintFilter
    rows: list[ListRow]
    next_cursor: str | None
    figures: DueFigures
    count: ListCount
    known: FilterReference
    views: Sequence[SavedView]


@router.get("/overdue")
def show_overdue(request: SignedIn) -> Response:
    """The overdue complaints in the scope of the user that fit the filters of the address."""
    request.caller.require(Right.READ)
    sent = request.http.query_params.multi_items()
    address = ListAddress.of(PAGE, sent)
    if list(address.pairs) != sent:
        return RedirectResponse(str(address), 303)
    query = read_list_query(address)
    found = read_with_views(request, lambda tx, views: _find(request, tx, query, address, views))
    known, locale = found.known, request.locale
    return request.page(
        "pages/overdue.html",
        found=found,
        rows=found.rows,
        views=make_links(request, found.views, known.directory, shown=address.link()),
        shown=address.link(),
        own_teams=own_teams(request, known.directory),
        form=FormState({"query": address.query}),
        strip=strip_of(found.figures, found.now, address, locale, known.directory.teams),
        address=address,
        query=query,
        columns=choose_columns(query.columns.split(",")),
        every_column=COLUMNS,
        clock_chips=list_filters.clock_chips(address, locale, known),
        quick_chips=list_filters.quick_chips(address, locale),
        other_chips=list_filters.other_chips(address, locale, known),
        fields=list_filters.filter_fields(address, locale, known),
        export=_address_of_export(request, address, found.asked),
        has_filters=_has_filters(address),
        can_work=Right.WORK in request.caller.rights,
        verbs=VERBS,
        keys_of_verbs=KEYS,
        most_matching=MOST_MATCHING,
    )


@router.get("/overdue/strip")
def show_strip(request: SignedIn) -> Response:
    """The strip of figures alone, for a page that is on a screen."""
    request.caller.require(Right.READ)
    address = ListAddress.of(PAGE, request.http.query_params.multi_items())

    def find(tx: Transaction) -> DueStrip:
        figures = lists.find_due_figures(tx, request.caller, SOON)
        teams = request.service.configuration(tx).directory.teams
        return strip_of(figures, tx.now, address, request.locale, teams)

    return request.page("fragments/due_strip.html", strip=request.read(find), address=address)


def _has_filters(address: ListAddress) -> bool:
    return any(name not in _NO_FILTERS for name, _ in address.pairs)


def _reference(request: PageRequest, tx: Transaction) -> FilterReference:
    now = request.service.configuration(tx)
    return FilterReference(now.directory, now.categories, now.deadline_kinds, now.kind_titles)


def _find(
    request: PageRequest,
    tx: Transaction,
    query: DueListQuery,
    address: ListAddress,
    views: Sequence[SavedView],
) -> _Found:
    order, asked = choose_order(query.sort), query.asked(tx.now)
    after = read_cursor(query.cursor, query.bound, order)
    found, end = lists.list_complaints(
        request.service, tx, request.caller, asked, order, after=after, limit=_ROWS
    )
    figures = lists.find_due_figures(tx, request.caller, SOON)
    if _has_filters(address) or query.show is Show.ANY:
        count = lists.count_views(request.service, tx, request.caller, asked, most=MOST_MATCHING)
    else:
        count = ListCount(figures.overdue if query.show is Show.OVERDUE else figures.soon_due, False)
    cursor = write_cursor(end, query.bound)
    known = _reference(request, tx)
    return _Found(tx.now, asked, make_rows(request, tx, found), cursor, figures, count, known, views)


def _address_of_export(request: PageRequest, address: ListAddress, asked: ComplaintFilter) -> str:
    """The address of the list as CSV, from the exports of the API."""
    sent = (pair for pair in address.pairs if pair[0] not in {*_NO_FILTERS, "overdue", "due_before"})
    own = [*dict.fromkeys(pair for pair in sent if pair[0] == "status" or pair[1] == address.value(pair[0]))]
    own.append(("overdue", "true" if asked.overdue else "false"))
    if asked.due_before is not None:
        own.append(("due_before", write_instant(asked.due_before)))
    form = {"format": "csv", "bom": "true", "timezone": request.locale.zone, "fields": _EXPORTED}
    return "/v1/exports?" + urlencode([*own, *form.items(), ("language", request.locale.language.value)])
