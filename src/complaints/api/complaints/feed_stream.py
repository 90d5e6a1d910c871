"""The feed as a stream of server-sent events (WHATWG HTML, section 9.2): the answer, and how it is written.

Each event is one message: `id` is the cursor after it, `data` its JSON. There is no `event` line, so browsers hand
every type to the same handler. A message with an `id` alone moves the cursor of a listener whose filters fit nothing.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from complaints.api.complaints.feed_places import (
    filter_of,
    find_end,
    place_of,
    read_page,
    read_with_newest,
)
from complaints.api.complaints.feed_reader import (
    FeedReader,
    FeedReaders,
    Listener,
    cut_chunks,
    write_message,
)
from complaints.api.complaints.feed_watch import LOOK_SECONDS, FeedWatch
from complaints.api.complaints.history_schemas import ChangeOut, ChangesQuery
from complaints.api.pages import parse_fields
from complaints.api.request import ApiRequest
from complaints.domain.errors import Unavailable
from complaints.use_cases.complaints import history
from complaints.use_cases.complaints.feed_cursor import FeedPlace, cursor_at
from complaints.use_cases.complaints.feed_stretches import FeedView
from complaints.use_cases.complaints.history import FeedSetBack
from complaints.use_cases.service import Transaction

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_SECONDS = 15.0
"""A stream without events sends a comment so often, so that proxies and clients see that it lives."""

PAGE_EVENTS = 100
"""The events of one page of a listener that is behind. A slow client has one page or one stretch in memory."""

END_SECONDS = 1.0
"""The time in which a stream that must end may send its last words, if its client is slow."""

_RETRY_MILLISECONDS, _RETRY_SPREAD = 1_000, 2_000
_PAUSE_SECONDS = 1.0
LIVE_FIELDS = frozenset({"sequence", "type", "complaint_id"})
_MISSED = b'data: {"type":"missed"}\n\n'
Messages = tuple[Sequence[tuple[int, bytes]], FeedPlace]
"""The number and the message of each event, and the place after them."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a stream was asked for, the place at which it begins, and the end of the feed at that time.

    A stream that `is_live` never reads pages: a listener that is behind must look again (see `FeedView.live`).
    """

    request: ApiRequest
    query: ChangesQuery
    view: FeedView
    fields: frozenset[str] | None
    start: FeedPlace
    head: FeedPlace
    is_live: bool = False


def open_stream(request: ApiRequest, query: ChangesQuery, last_event_id: str | None) -> Subscription:
    """Check a stream that begins after `last_event_id`, else after `after` of the query. Blocks.

    Call it in a thread: only `FeedStream` begins to listen. Raises what the JSON form of the feed raises.
    """
    fields = parse_fields(query.fields, ChangeOut)
    asked = place_of(last_event_id, is_header=True) if last_event_id else place_of(query.after)

    def work(tx: Transaction) -> Subscription:
        view = FeedView.of(request.caller, filter_of(request.service, tx, query))
        head = find_end(tx)
        start = asked or head
        history.check_place(tx, start.number, start.mark, last=head.number)
        return Subscription(request, query, view, fields, start, head)

    return read_with_newest(request.service, work)


def open_live_stream(request: ApiRequest) -> Subscription:
    """Check a stream for pages that are kept up to date, from now on. Blocks. Raises Forbidden."""
    view = FeedView.live(request.caller)
    head = read_with_newest(request.service, find_end)
    return Subscription(request, ChangesQuery(), view, LIVE_FIELDS, head, head, is_live=True)


class FeedStream(Response):
    """The answer that streams the feed to one listener, until one of both sides ends it."""

    def __init__(self, readers: FeedReaders, subscription: Subscription, *, is_head: bool) -> None:
        self._readers = readers
        self._subscription = subscription
        self._is_head = is_head
        # A stream has its connection for itself: when a process drains, the client comes back to another process.
        headers = {"Cache-Control": "no-cache, no-store", "Connection": "close", "X-Accel-Buffering": "no"}
        super().__init__(headers=headers, media_type=f"{MEDIA_TYPE}; charset=utf-8")
        del self.headers["Content-Length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, then events until the client leaves or the listener must end."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if not self._is_head:
            await self._listen(scope, receive, send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _listen(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = self._subscription
        listener = Listener(scope, asked.request.caller, asked.view, asked.fields)
        reader = self._readers.join(asked.request.service, listener, asked.head)
        writer = _Writer(asked, listener, reader, self._readers.watch, send)
        writing, leaving = asyncio.create_task(writer.write()), asyncio.create_task(_leave(receive))
        try:
            await asyncio.wait((writing, leaving, listener.end), return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait((writing, leaving), timeout=END_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                writing.result()
        finally:
            writing.cancel()
            leaving.cancel()
            self._readers.leave(reader, listener)


async def _leave(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        continue


class _Writer:
    """Writes the messages of one listener. It waits for a slow client, and then goes on from its own place."""

    def __init__(
        self, asked: Subscription, listener: Listener, reader: FeedReader, watch: FeedWatch, send: Send
    ) -> None:
        self._asked = asked
        self._listener = listener
        self._reader = reader
        self._watch = watch
        self._send = send
        self._place = asked.start
        self._named = 0  # the number in the last `id` that the client got

    async def write(self) -> None:
        """Write until the listener must end, and say why in a comment."""
        end = self._listener.end
        retry = _RETRY_MILLISECONDS + secrets.randbelow(_RETRY_SPREAD)  # not all come back at once
        await self._put(b"retry: %d\n" % retry)
        await self._name_place()  # a client that began with `now` and breaks off comes back to this place
        while not end.done():
            await self._write_next()
        await self._put(b": end %s\n" % end.result().encode("ascii"))

    async def _write_next(self) -> None:
        """Write what comes after the place: from memory, from the database, or nothing but a heartbeat."""
        number = self._place.number
        if found := self._find_messages(number):
            await self._put_messages(*found)
        elif number < self._reader.head.number:
            await (self._skip() if self._asked.is_live else self._read_page())
        else:
            await self._wait()

    def _find_messages(self, number: int) -> Messages | None:
        """What the listener sees of the kept stretch with the next event. The stretch itself is not held on to."""
        kept = self._reader.find(number)
        if kept is None:
            return None
        messages = kept.messages(self._listener.view, self._listener.fields)
        return [one for one in messages if one[0] > number], kept.end

    async def _skip(self) -> None:
        """Go to the head, and tell the client that it missed something."""
        self._place = self._reader.head
        await self._put(_MISSED)

    async def _read_page(self) -> None:
        before = self._place
        try:
            await self._put_messages(*await self._watch.in_turn(partial(self._read_messages, before)))
        except FeedSetBack as refusal:
            self._listener.end_for(refusal.code)
        except Unavailable:  # the reader of the process notes it in the log
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            if self._place == before:  # a replica that is behind the reader
                await asyncio.sleep(LOOK_SECONDS)

    async def _wait(self) -> None:
        """Wait for news. Without news, write a heartbeat: the new cursor if the place has moved, else a comment."""
        news = self._listener.news
        news.clear()
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await news.wait()
        except TimeoutError:
            if not await self._name_place():
                await self._put(b":\n")

    async def _name_place(self) -> bool:
        """Write the cursor of the place, unless the client has it. Returns True if it was written."""
        if self._place.number == self._named:
            return False
        await self._put(b"id: %s\n\n" % cursor_at(self._place).encode("ascii"))
        self._named = self._place.number
        return True

    def _read_messages(self, place: FeedPlace) -> Messages:
        """The next page of the database, as messages. Blocks."""
        asked = self._asked
        found, after = read_page(asked.request, asked.query, place, limit=PAGE_EVENTS)
        return [(one.sequence, write_message(one, asked.fields)) for one in found], after

    async def _put_messages(self, messages: Sequence[tuple[int, bytes]], end: FeedPlace) -> None:
        """Write messages, and move the place to their end. A slow client does not keep what is joined in memory."""
        named = messages[-1][0] if messages else self._named
        chunks = deque(cut_chunks(messages))
        del messages
        while chunks:
            await self._put(chunks.popleft())
        self._named = named
        self._place = end

    async def _put(self, text: bytes) -> None:
        await self._send({"type": "http.response.body", "body": text, "more_body": True})
