"""Cursors of lists of tickets: places of tickets, bound to the filters and the order of the list."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from complaints.api import cursors
from complaints.api.problems.refusals import BadRequest
from complaints.domain.errors import InvalidContent
from complaints.domain.json_text import to_json
from complaints.domain.vocabulary import Priority
from complaints.tmf621.queries.query import Query
from complaints.use_cases.complaints.ticket_lists import TicketOrder, TicketPosition

_KIND = "tickets"
_MOST_RANK = 9


def digest_of(query: Query, order: Sequence[TicketOrder]) -> str:
    """A text that is equal for queries of the same list in the same order."""
    text = repr((sorted(map(repr, query.conditions)), [(one.name, one.descending) for one in order]))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_place(place: TicketPosition, digest: str) -> str:
    """The cursor of a place."""
    values = [to_json(value) for value in place.values]
    return cursors.encode({"kind": _KIND, "list": digest, "values": values, "id": str(place.complaint_id)})


def read_place(parameter: str, cursor: str, digest: str, order: Sequence[TicketOrder]) -> TicketPosition:
    """The place of a cursor. Raises InvalidContent for a text that this list did not give."""
    try:
        written = cursors.decode(cursor, _KIND)
        if written.get("list") == digest:
            return _read(written, order)
    except BadRequest:
        message = f"{parameter} must be a cursor from the header Link of an earlier page."
        raise InvalidContent.in_query(parameter, message) from None
    message = f"{parameter} was given for other filters or another sort: send the same, or leave it out."
    raise InvalidContent.in_query(parameter, message)


def _read(written: Mapping[str, Any], order: Sequence[TicketOrder]) -> TicketPosition:
    values = written.get("values")
    if not isinstance(values, list) or len(values) != len(order):
        raise cursors.bad_cursor()
    read = (_READ[key.name]({"value": value}) for key, value in zip(order, values, strict=True))
    return TicketPosition(tuple(read), cursors.id_in(written, "id"))


def _instant(value: Mapping[str, Any]) -> Any:
    return cursors.instant_in(value, "value")


def _rank(value: Mapping[str, Any]) -> int:
    return cursors.integer_in(value, "value", most=_MOST_RANK)


def _priority(value: Mapping[str, Any]) -> Priority:
    if value["value"] not in list(Priority):
        raise cursors.bad_cursor()
    return Priority(value["value"])


def _text(value: Mapping[str, Any]) -> str:
    text = value["value"]
    if (
        not isinstance(text, str)
        or "\0" in text
        or (not text.isprintable() and "\ud800" <= max(text) <= "\udfff")
    ):
        raise cursors.bad_cursor()
    return text


_READ: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "creationDate": _instant,
    "lastUpdate": _instant,
    "priority": _priority,
    "severity": _rank,
    "status": _rank,
    "name": _text,
    "id": lambda value: cursors.id_in(value, "value"),
}
