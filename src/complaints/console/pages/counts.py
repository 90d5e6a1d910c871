"""The counts of the main menu. Pages ask for them after they are shown, so no page waits for them."""

from fastapi import APIRouter
from starlette.responses import Response

from complaints.console.page_request import PageRequest, SignedIn
from complaints.use_cases.access import Right
from complaints.use_cases.complaints import escalations, lists
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.service import Transaction

router = APIRouter()
MOST = 99


@router.get("/counts")
def show_counts(request: SignedIn) -> Response:
    """The overdue complaints in the scope of the user, and the own inbox. Each is counted up to 99."""
    counts = request.read(lambda tx: _count(request, tx))
    return request.page("fragments/counts.html", counts=counts, most=MOST)


def _count(request: PageRequest, tx: Transaction) -> dict[str, int]:
    service, caller = request.service, request.caller
    counts = {}
    if Right.READ in caller.rights:
        overdue = lists.count_views(service, tx, caller, ComplaintFilter(overdue=True), most=MOST)
        counts["overdue"] = overdue.count + overdue.is_minimum
    if Right.READ_OWN in caller.rights:
        counts["inbox"] = escalations.count_inbox(service, tx, caller, most=MOST + 1)
    return counts
