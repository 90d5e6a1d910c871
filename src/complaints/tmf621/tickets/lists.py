"""Lists of tickets: newest first, a page at a time."""

from complaints.tmf621.requests import TmfRequest, make_answer
from complaints.tmf621.tickets.loading import load_tickets
from complaints.tmf621.tickets.representation import ticket_json
from complaints.use_cases.complaints import lists
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.complaints.lists import Order, SortKey
from complaints.use_cases.once import Answer
from complaints.use_cases.service import Transaction

DEFAULT_LIMIT = 20
_NEWEST_FIRST = Order(SortKey.RECEIVED_AT, descending=True)


def list_tickets(request: TmfRequest, tx: Transaction) -> Answer:
    """The page that the query of a request asks for, with the headers that count."""
    asked = ComplaintFilter()
    found, _ = lists.list_complaints(
        request.service, tx, request.caller, asked, _NEWEST_FIRST, after=None, limit=DEFAULT_LIMIT
    )
    total = lists.count_views(request.service, tx, request.caller, asked)
    tickets = load_tickets(request.service, tx, request.caller, found)
    source = request.caller.source
    shown = [request.edition.show(ticket_json(one, request.base), source) for one in tickets]
    counts = {"X-Total-Count": str(total.count), "X-Result-Count": str(len(shown))}
    return make_answer(200, shown, counts)
