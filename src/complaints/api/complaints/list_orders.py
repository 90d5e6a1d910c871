"""The orders of a list of complaints by name, and the cursors by which the next page of a list begins."""

from collections.abc import Mapping
from typing import Any

from complaints.api import cursors
from complaints.api.problems.refusals import BadRequest
from complaints.domain.json_text import to_json
from complaints.domain.vocabulary import Priority
from complaints.use_cases.complaints.lists import ListPosition, Order, SortKey

ORDERS: Mapping[str, Order] = {
    f"{sign}{key}": Order(key, bool(sign)) for key in SortKey for sign in ("", "-")
}
"""The orders by the names that callers send. `-` before a name reverses it."""


def choose_order(sort: str) -> Order:
    """The order with this name. Raises BadRequest for another name."""
    order = ORDERS.get(sort)
    if order is None:
        message = f"A list cannot be sorted by {sort[:100]!r}: choose {', '.join(ORDERS)}."
        raise BadRequest.in_query("sort", message)
    return order


def write_cursor(end: ListPosition | None, bound: Mapping[str, Any]) -> str | None:
    """The cursor of the page after `end`; None if no page follows. It serves the list with the values `bound` only."""
    if end is None:
        return None
    return cursors.encode({**bound, "value": to_json(end.value), "id": str(end.complaint_id)})


def read_cursor(cursor: str | None, bound: Mapping[str, Any], order: Order) -> ListPosition | None:
    """The end of the page before. Raises BadRequest for a bad cursor, or for one of other filters or another order.

    `bound` has the kind of the cursor as its member `kind`.
    """
    if cursor is None:
        return None
    position = cursors.decode(cursor, bound["kind"])
    if any(position.get(name) != value for name, value in bound.items()):
        message = "cursor was given for other filters or another sort: send the same, or no cursor."
        raise BadRequest.in_query("cursor", message)
    if order.key is SortKey.PRIORITY:
        if position.get("value") not in list(Priority):
            raise cursors.bad_cursor()
        return ListPosition(Priority(position["value"]), cursors.id_in(position, "id"))
    if order.key is SortKey.NEXT_DUE_AT and position.get("value") is None:
        return ListPosition(None, cursors.id_in(position, "id"))
    return ListPosition(cursors.instant_in(position, "value"), cursors.id_in(position, "id"))
