"""The route for the feed: the events of all complaints and other subjects."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from complaints.api.complaints.feed_places import change_json, place_of, read_page
from complaints.api.complaints.feed_stream import MEDIA_TYPE, FeedStream, open_stream
from complaints.api.complaints.feed_watch import FeedWatch
from complaints.api.complaints.history_schemas import STREAM_EXAMPLE, ChangeOut, ChangesPage, ChangesQuery
from complaints.api.http.authentication import ACCESS_SECONDS, find_caller
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.request_ids import is_head
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import page_of, parse_fields
from complaints.api.problems.media_ranges import prefers
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, require_right
from complaints.use_cases.access import Right
from complaints.use_cases.complaints.feed_cursor import cursor_at

router = PrefixedRouter(prefix="/changes", tags=["history"], route_class=StrictRoute)


@router.get(
    "",
    dependencies=[require_right(Right.READ_OWN)],
    responses={
        200: {
            "model": ChangesPage,
            "description": "The events that follow",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": STREAM_EXAMPLE}},
        },
        **refusals(
            bad_request="An unknown parameter or field, or a cursor that this feed did not give.",
            forbidden="The caller knows of the complaints of teams only. The feed needs all, or a source.",
            feed_set_back="The database was restored to an instant before the place of the cursor.",
        ),
    },
)
async def list_changes(
    request: CurrentRequest,
    query: Annotated[ChangesQuery, Query()],
    http_request: Request,
    last_event_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            description="Of a stream: the last `id` that the client got. It counts instead of `after`.",
        ),
    ] = None,
) -> Response:
    """Every event of all complaints, and of all other subjects, in commit order. A caller of one source gets its own.

    Ask again with `after` = `next_cursor`: nothing is left out, nothing comes twice. A cursor is a place in the feed,
    whatever the filters. With filters that fit few events, a page may be empty before the end of the feed.
    A call that waits ends with 401 within 5 seconds when its key is revoked or its session ends.

    With `Accept: text/event-stream` the answer is a stream of server-sent events: `id` is the cursor after the event,
    `data` is the event. The stream goes on until one side ends it; `limit` and `wait` do not count.
    """
    if prefers(http_request.headers.get("accept", ""), MEDIA_TYPE):
        asked = await run_in_threadpool(open_stream, request, query, last_event_id)
        readers = http_request.app.state.feed_readers
        return FeedStream(readers, asked, is_head=is_head(http_request.scope))
    fields = parse_fields(query.fields, ChangeOut)
    watch: FeedWatch = http_request.app.state.feed_watch
    loop = asyncio.get_running_loop()
    until = loop.time() + query.wait
    found, place = await run_in_threadpool(
        read_page, request, query, place_of(query.after), limit=query.limit
    )
    while not found and (seconds := until - loop.time()) > 0 and not watch.ended:
        woken = await watch.wait_beyond(request.service, place.number, min(seconds, ACCESS_SECONDS))
        request = replace(request, caller=await find_caller(http_request.scope, again=True))
        if woken:
            found, place = await watch.in_turn(partial(read_page, request, query, place, limit=query.limit))
    return request.answer(page_of(map(change_json, found), fields, cursor_at(place)))
