"""Lists of tickets: newest first unless sorted, a page at a time, with exact counts."""

from collections.abc import Sequence
from urllib.parse import quote

from complaints.tmf621.queries.fields import pick_fields
from complaints.tmf621.queries.query import Query
from complaints.tmf621.queries.reading import read_query
from complaints.tmf621.requests import TmfRequest, make_answer
from complaints.tmf621.tickets.categories import words_of
from complaints.tmf621.tickets.filters import GRAMMAR, GRAMMAR_V4, NO_WORDS, question_of, word_tables
from complaints.tmf621.tickets.list_cursors import digest_of, read_place, write_place
from complaints.tmf621.tickets.loading import load_tickets, note_persons_of
from complaints.tmf621.tickets.representation import NAME, ticket_json
from complaints.use_cases.complaints import ticket_lists
from complaints.use_cases.complaints.ticket_lists import (
    KeptCounts,
    TicketOrder,
    TicketPage,
    TicketPosition,
    filter_tickets,
)
from complaints.use_cases.once import Answer
from complaints.use_cases.service import Transaction

_NEWEST_FIRST = (TicketOrder("creationDate", descending=True),)
_GRAMMARS = {"v4": GRAMMAR_V4}
_PLACES = (b"offset", b"before", b"after")
_AS_SENT = "%=,.:+-_~@$()*!'/?"


def read_list_query(request: TmfRequest) -> Query:
    """The query of a list. Raises InvalidContent with the faulty parameter."""
    return read_query(request.http.scope["query_string"], _GRAMMARS.get(request.edition.name, GRAMMAR))


def list_tickets(request: TmfRequest, tx: Transaction, query: Query, kept: KeptCounts) -> Answer:
    """The page that a query asks for, with the headers that count, and with links to the pages beside it."""
    service, caller = request.service, request.caller
    order = tuple(TicketOrder(one.name, one.descending) for one in query.sort) or _NEWEST_FIRST
    digest = digest_of(query, order)
    place = _place(query, digest, order)
    categories = service.configuration(tx).categories
    tables = word_tables(words_of(categories)) if query.conditions else NO_WORDS
    filters = filter_tickets(caller, question_of(query.conditions), tables)
    page = ticket_lists.list_tickets(
        service,
        tx,
        caller,
        filters,
        order,
        kept,
        place=place,
        backwards=query.before is not None,
        offset=query.offset or 0,
        limit=query.limit,
    )
    tickets = load_tickets(service, tx, caller, page.complaints)
    note_persons_of(request, tickets)
    shown = [
        pick_fields(request.edition.show(ticket_json(one, request.base), caller.source), query.fields)
        for one in tickets
    ]
    headers = {"X-Total-Count": str(page.total), "X-Result-Count": str(len(shown))}
    links = _links(request, query, page, digest)
    return make_answer(200, shown, headers | ({"Link": ", ".join(links)} if links else {}))


def _place(query: Query, digest: str, order: Sequence[TicketOrder]) -> TicketPosition | None:
    if query.after is not None:
        return read_place("after", query.after, digest, order)
    return None if query.before is None else read_place("before", query.before, digest, order)


def _links(request: TmfRequest, query: Query, page: TicketPage, digest: str) -> list[str]:
    """The links to the next and the previous page, as far as there is one."""
    if not page.places:
        return []
    is_backwards = query.before is not None
    has_next = is_backwards or page.has_more
    has_previous = page.has_more if is_backwards else bool(query.after or query.offset)
    if request.edition.name == "v4":
        next_place = f"offset={(query.offset or 0) + query.limit}"
        previous_place = f"offset={max(0, (query.offset or 0) - query.limit)}"
    else:
        next_place = f"after={write_place(page.places[-1], digest)}"
        previous_place = f"before={write_place(page.places[0], digest)}"
    found = [("next", has_next, next_place), ("prev", has_previous, previous_place)]
    return [f'<{_address(request, place)}>; rel="{name}"' for name, is_there, place in found if is_there]


def _address(request: TmfRequest, place: str) -> str:
    """The address of another page of the same list."""
    sent = request.http.scope["query_string"].split(b"&")
    same = [quote(one, safe=_AS_SENT) for one in sent if one and one.partition(b"=")[0] not in _PLACES]
    return f"{request.base}/{NAME}?{'&'.join([*same, place])}"
