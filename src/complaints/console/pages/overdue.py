"""The overdue complaints: how many, whose, how late; the most overdue first."""

from fastapi import APIRouter
from starlette.responses import Response

from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.views.rows import ListRow, row_of
from complaints.use_cases.access import Right
from complaints.use_cases.complaints import lists
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.complaints.lists import Order, SortKey
from complaints.use_cases.service import Transaction

router = APIRouter()
_PAGE = 50


@router.get("/overdue")
def show_overdue(request: SignedIn) -> Response:
    """The overdue complaints in the scope of the user."""
    request.caller.require(Right.READ)
    rows = request.read(lambda tx: _find_rows(request, tx))
    return request.page("pages/overdue.html", rows=rows)


def _find_rows(request: PageRequest, tx: Transaction) -> list[ListRow]:
    asked, order = ComplaintFilter(overdue=True), Order(SortKey.NEXT_DUE_AT, False)
    found, _ = lists.list_complaints(
        request.service, tx, request.caller, asked, order, after=None, limit=_PAGE
    )
    configuration = request.service.configuration(tx)
    return [
        row_of(
            parts,
            locale=request.locale,
            directory=configuration.directory,
            categories=configuration.categories,
        )
        for parts in found
    ]
