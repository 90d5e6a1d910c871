"""Places in the feed, their cursors, and the pages after them. The JSON form and the streams share them."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from operator import attrgetter
from typing import Any, TypeVar

from complaints.api import cursors
from complaints.api.complaints.history_schemas import ChangeOut, ChangesQuery
from complaints.api.problems.refusals import BadRequest
from complaints.api.request import ApiRequest
from complaints.use_cases.complaints import history
from complaints.use_cases.complaints.feed_cursor import FEED, FeedPlace
from complaints.use_cases.complaints.history import FeedEvent, FeedFilter, FeedSetBack
from complaints.use_cases.service import Service, Transaction

_NOW = "now"
_MEMBERS = tuple(ChangeOut.model_fields)
_values = attrgetter(*_MEMBERS)
T = TypeVar("T")


Found = tuple[Sequence[FeedEvent], FeedPlace]


def place_of(after: str, *, is_header: bool = False) -> FeedPlace | None:
    """The place that `after` names; None for the end. Raises BadRequest for a bad cursor.

    `is_header`: it was not the parameter, but the header `Last-Event-ID`.
    """
    if after == _NOW:
        return None
    if not after:
        return FeedPlace(0, None)
    try:
        position = cursors.decode(after, FEED)
        mark = cursors.id_in(position, "id") if "id" in position else None
        return FeedPlace(cursors.integer_in(position, "after"), mark)
    except BadRequest:
        message = (
            "The place is not one that the feed gave: send next_cursor of a page or id of a stream as it was."
        )
        if is_header:
            raise BadRequest.in_header("Last-Event-ID", message) from None
        raise BadRequest.in_query("after", message) from None


def find_end(tx: Transaction) -> FeedPlace:
    """The place after the last event."""
    number = history.find_end(tx)
    return FeedPlace(number, history.find_mark(tx, number))


def filter_of(service: Service, tx: Transaction, query: ChangesQuery) -> FeedFilter:
    """The events that a query asks for. Raises InvalidContent for an unknown type of event or an unknown team."""
    return history.feed_filter(service, tx, types=query.type or (), source=query.source, team=query.team)


def read_page(request: ApiRequest, query: ChangesQuery, place: FeedPlace | None, *, limit: int) -> Found:
    """The next events after a place, None: the end of the feed; and the place after them.

    Raises InvalidContent, FeedSetBack, and Forbidden for a caller who may not follow the feed.
    """

    def work(tx: Transaction) -> Found:
        asked = filter_of(request.service, tx, query)
        after, mark = place or FeedPlace(history.find_end(tx), None)
        found, seen = history.changes(tx, request.caller, after=after, limit=limit, asked=asked, mark=mark)
        is_last = bool(found) and found[-1].sequence == seen
        return found, FeedPlace(seen, found[-1].id if is_last else history.find_mark(tx, seen))

    return read_with_newest(request.service, work)


def read_with_newest(service: Service, work: Callable[[Transaction], T]) -> T:
    """Do `work` on one snapshot. A replica may be behind the place: then on one of the primary."""
    try:
        return service.read(work)
    except FeedSetBack:
        return service.read_newest(work)


def change_json(change: FeedEvent) -> dict[str, Any]:
    """An event of the feed as the API shows it."""
    shown = dict(zip(_MEMBERS, _values(change), strict=True))
    shown["subject"] = asdict(change.subject)
    return shown
