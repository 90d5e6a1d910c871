"""Rows of lists: made from complaints, and rendered again by their ids for lists that are on a screen."""

from collections.abc import Collection, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.views.addresses import ListAddress
from complaints.console.views.list_queries import read_list_query
from complaints.console.views.rows import ListRow, choose_columns, row_of
from complaints.domain.errors import InvalidContent
from complaints.use_cases.access import Right
from complaints.use_cases.complaints import lists
from complaints.use_cases.complaints.lists import Order, SortKey
from complaints.use_cases.complaints.views import ComplaintParts
from complaints.use_cases.service import Transaction

router = APIRouter()
MOST_ROWS = 200
_OWN_NAMES = ("ids", "page")
_WITH_FILTERS = "overdue"


def make_rows(
    request: PageRequest,
    tx: Transaction,
    found: Sequence[ComplaintParts],
    *,
    fitting: Collection[UUID] | None = None,
) -> list[ListRow]:
    """The rows of complaints. `fitting` are the ids of those that fit the filters of their list; None: all."""
    configuration = request.service.configuration(tx)
    return [
        row_of(
            parts,
            locale=request.locale,
            directory=configuration.directory,
            categories=configuration.categories,
            fits=fitting is None or parts.members["id"] in fitting,
        )
        for parts in found
    ]


@router.get("/rows")
def show_rows(
    request: SignedIn,
    ids: Annotated[str, Query(max_length=40 * MOST_ROWS)] = "",
    page: Annotated[str, Query(max_length=100)] = _WITH_FILTERS,
) -> Response:
    """The rows of complaints by id, as `<tr>` elements. The other parameters are those of the list at `page`.

    A row that fits the list no more has the class `gone`. Complaints outside the scope of the list are left out. A
    page without filters of this kind gets the rows as they are.
    """
    request.caller.require(Right.READ)
    has_filters = page == _WITH_FILTERS
    sent = [pair for pair in request.http.query_params.multi_items() if pair[0] not in _OWN_NAMES]
    address = ListAddress.of("", sent if has_filters else ())
    query, wanted = read_list_query(address), _read_ids(ids)

    def find(tx: Transaction) -> list[ListRow]:
        order = Order(SortKey.NEXT_DUE_AT)
        known = lists.show_complaints(request.service, tx, request.caller, wanted, query.asked(tx.now), order)
        return make_rows(request, tx, known.found, fitting=known.fitting)

    columns = choose_columns(query.columns.split(","))
    return request.page("fragments/rows.html", rows=request.read(find), columns=columns)


def _read_ids(text: str) -> list[UUID]:
    try:
        return [UUID(one) for one in text.split(",") if one]
    except ValueError as error:
        raise InvalidContent.in_query("ids", "must be ids of complaints with commas between") from error
