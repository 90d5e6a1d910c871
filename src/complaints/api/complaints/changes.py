"""The route for the feed: the events of all complaints and other subjects."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from operator import attrgetter
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.complaints.feed_watch import FeedWatch
from complaints.api.complaints.history_schemas import ChangeOut, ChangesPage, ChangesQuery
from complaints.api.http.authentication import find_caller
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import page_of, parse_fields
from complaints.api.problems.schemas import refusals
from complaints.api.request import ApiRequest, CurrentRequest, Reply, require_right
from complaints.use_cases.access import Right
from complaints.use_cases.complaints import history
from complaints.use_cases.complaints.history import FeedEvent, FeedSetBack
from complaints.use_cases.service import Transaction

router = APIRouter(prefix="/changes", tags=["history"], route_class=StrictRoute)
_CURSOR = "changes"
_NOW = "now"
ACCESS_SECONDS = 2.0
"""A reader who waits is asked again so often whether its key or its session still holds."""
_MEMBERS = tuple(ChangeOut.model_fields)
_values = attrgetter(*_MEMBERS)
# A place in the feed: the number of the last event that was seen, and its id, if it is known.
Place = tuple[int, UUID | None]
Found = tuple[Sequence[FeedEvent], Place]


@router.get(
    "",
    dependencies=[require_right(Right.READ_OWN)],
    responses={
        200: {"model": ChangesPage, "description": "The events that follow"},
        **refusals(
            bad_request="An unknown parameter or field, or a cursor that this feed did not give.",
            forbidden="The caller knows of the complaints of teams only. The feed needs all, or a source.",
            feed_set_back="The database was restored to an instant before the place of the cursor.",
        ),
    },
)
async def list_changes(
    request: CurrentRequest, query: Annotated[ChangesQuery, Query()], http_request: Request
) -> Response:
    """Every event of all complaints, and of all other subjects, in commit order. A caller of one source gets its own.

    Ask again with `after` = `next_cursor`: nothing is left out, nothing comes twice. A cursor is a place in the feed,
    whatever the filters. With filters that fit few events, a page may be empty before the end of the feed.
    A call that waits ends with 401 within 5 seconds when its key is revoked or its session ends.
    """
    fields = parse_fields(query.fields, ChangeOut)
    watch: FeedWatch = http_request.app.state.feed_watch
    loop = asyncio.get_running_loop()
    until = loop.time() + query.wait
    found, place = await run_in_threadpool(_read, request, query, _place(query.after))
    while not found and (seconds := until - loop.time()) > 0 and not watch.ended:
        woken = await watch.wait_beyond(request.service, place[0], min(seconds, ACCESS_SECONDS))
        request = replace(request, caller=await find_caller(http_request.scope, again=True))
        if woken:
            found, place = await watch.in_turn(partial(_read, request, query, place))
    return request.answer(_page(found, place, fields))


def _read(request: ApiRequest, query: ChangesQuery, place: Place | None) -> Found:
    """The next events after a place, None: the end of the feed."""

    def work(tx: Transaction) -> Found:
        asked = history.feed_filter(
            request.service, tx, types=query.type or (), source=query.source, team=query.team
        )
        after, mark = (history.find_end(tx), None) if place is None else place
        found, seen = history.changes(
            tx, request.caller, after=after, limit=query.limit, asked=asked, mark=mark
        )
        is_last = bool(found) and found[-1].sequence == seen
        return found, (seen, found[-1].id if is_last else history.find_mark(tx, seen))

    try:
        return request.service.read(work)
    except FeedSetBack:  # a replica may be behind the cursor
        return request.service.read_newest(work)


def _page(found: Sequence[FeedEvent], place: Place, fields: frozenset[str] | None) -> Reply:
    return page_of(map(_change_json, found), fields, make_cursor(*place))


def make_cursor(number: int, mark: UUID | None) -> str:
    """The cursor of a place in the feed: the number of the last event that was seen, and its id."""
    return cursors.encode({"kind": _CURSOR, "after": number} | ({"id": str(mark)} if mark else {}))


def _change_json(change: FeedEvent) -> dict[str, Any]:
    """An event of the feed as the API shows it."""
    shown = dict(zip(_MEMBERS, _values(change), strict=True))
    shown["subject"] = asdict(change.subject)
    return shown


def _place(after: str) -> Place | None:
    """The place that `after` names; None for the end. Raises BadRequest for a bad cursor."""
    if after == _NOW:
        return None
    if not after:
        return 0, None
    position = cursors.decode(after, _CURSOR)
    mark = cursors.id_in(position, "id") if "id" in position else None
    return cursors.integer_in(position, "after"), mark
