"""The reader that all streams of a process share: it reads each stretch of the feed once, whoever listens.

A listener at the head of the feed gets the stretch from memory. A listener that is behind reads pages until it reaches
the stretches that are kept. Nothing is kept for a single listener.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import structlog
from prometheus_client import CollectorRegistry, Gauge
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from complaints.api.complaints.feed_places import change_json, read_with_newest
from complaints.api.complaints.feed_watch import FeedWatch
from complaints.api.http.authentication import ACCESS_SECONDS, find_callers_again
from complaints.api.pages import pick_fields
from complaints.domain.errors import Unavailable
from complaints.domain.json_text import encode
from complaints.logs import describe_exception
from complaints.use_cases.access import Caller
from complaints.use_cases.complaints import history
from complaints.use_cases.complaints.feed_cursor import FeedPlace, cursor_at
from complaints.use_cases.complaints.feed_stretches import FeedView, Stretch, read_stretch
from complaints.use_cases.complaints.history import FeedEvent, FeedSetBack
from complaints.use_cases.service import Service, Transaction

STRETCH_EVENTS = 200
KEPT_STRETCHES = 40
CHUNK_BYTES = 32 * 1024
"""The most bytes that are handed to a connection at once, unless one message is longer."""

_KEPT_TEXTS = 32  # views of one stretch: each may be as long as the stretch
_OUTAGE_SECONDS = 1.0
_log = structlog.get_logger("complaints.feed")
_Fields = frozenset[str] | None


def write_message(found: FeedEvent, fields: _Fields) -> bytes:
    """The message of one event: its cursor, and its JSON on one line."""
    cursor = cursor_at(FeedPlace(found.sequence, found.id))
    return b"id: %s\ndata: %s\n\n" % (cursor.encode("ascii"), encode(pick_fields(change_json(found), fields)))


@dataclass(eq=False, slots=True)
class Listener:
    """A stream. `news` is set when there may be something to send, and `end` has the reason for which it must end."""

    scope: Scope
    caller: Caller
    view: FeedView
    fields: _Fields
    news: asyncio.Event = field(default_factory=asyncio.Event)
    end: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def end_for(self, reason: str) -> None:
        """Let the stream end. Only the first reason counts."""
        if not self.end.done():
            self.end.set_result(reason)
            self.news.set()

    def end_unless_same(self, caller: Caller | None) -> None:
        """End the stream if its caller is no longer known, or has other rights or another scope than before."""
        if caller is None:
            self.end_for("unauthenticated")
        elif (caller.rights, caller.scope) != (self.caller.rights, self.caller.scope):
            self.end_for("forbidden")


@dataclass(frozen=True, slots=True)
class KeptStretch:
    """A stretch with its messages, written once for all listeners with the same view and the same fields."""

    stretch: Stretch
    _texts: dict[tuple[FeedView, _Fields], Sequence[tuple[int, bytes]]] = field(default_factory=dict)

    @property
    def end(self) -> FeedPlace:
        """The place after it."""
        return FeedPlace(self.stretch.last.sequence, self.stretch.last.id)

    def messages(self, view: FeedView, fields: _Fields) -> Sequence[tuple[int, bytes]]:
        """The number and the message of each event that the view shows."""
        found = self._texts.get((view, fields))
        if found is None:
            found = [(one.sequence, write_message(one, fields)) for one in self.stretch.shown_in(view)]
            if len(self._texts) < _KEPT_TEXTS:
                self._texts[view, fields] = found
        return found


def cut_chunks(messages: Sequence[tuple[int, bytes]]) -> Iterator[bytes]:
    """The messages, joined to chunks of about `CHUNK_BYTES`."""
    chunk, size = [], 0
    for _, message in messages:
        chunk.append(message)
        size += len(message)
        if size >= CHUNK_BYTES:
            yield b"".join(chunk)
            chunk, size = [], 0
    if chunk:
        yield b"".join(chunk)


class FeedReader:
    """Reads on for its listeners, from `head`, and looks their callers up. Lives in one event loop."""

    def __init__(self, watch: FeedWatch, service: Service, head: FeedPlace) -> None:
        self.head = head
        self.listeners: set[Listener] = set()
        self._watch = watch
        self._service = service
        self._kept: deque[KeptStretch] = deque(maxlen=KEPT_STRETCHES)
        self._checked_at = asyncio.get_running_loop().time()

    def find(self, number: int) -> KeptStretch | None:
        """The kept stretch with the next event after `number`; None if there is none."""
        for kept in reversed(self._kept):
            if kept.stretch.after <= number < kept.stretch.last.sequence:
                return kept
        return None

    async def run(self) -> None:
        """Read on until nobody listens, or the process drains. Listeners that are left then end."""
        reason = "unavailable"
        try:
            while self.listeners and not self._watch.ended:
                await self._step()
            reason = "draining"
        except FeedSetBack as refusal:
            reason = refusal.code
        except Exception as failure:
            _log.error("the reader of the feed failed", raised=describe_exception(failure))
        finally:
            for listener in self.listeners:
                listener.end_for(reason)

    async def _step(self) -> None:
        """Wait for events and read them. During an outage of the database the streams stay open and get nothing."""
        seconds = max(0.0, self._checked_at + ACCESS_SECONDS - asyncio.get_running_loop().time())
        woken = await self._watch.wait_beyond(self._service, self.head.number, seconds)
        try:
            await self._check_listeners()
            if woken and not self._watch.ended:
                await self._read_on()
        except Unavailable as failure:
            _log.warning("the feed cannot be read", raised=describe_exception(failure))
            await asyncio.sleep(_OUTAGE_SECONDS)

    async def _check_listeners(self) -> None:
        """Every `ACCESS_SECONDS`, look up the callers of all listeners, and whether the feed was set back."""
        now = asyncio.get_running_loop().time()
        if now - self._checked_at < ACCESS_SECONDS:
            return
        asked = list(self.listeners)
        callers = await run_in_threadpool(find_callers_again, [listener.scope for listener in asked])
        for listener, caller in zip(asked, callers, strict=True):
            listener.end_unless_same(caller)
        await run_in_threadpool(self._service.read_newest, self._check_head)
        self._checked_at = now

    def _check_head(self, tx: Transaction) -> None:
        number, mark = self.head
        history.check_place(tx, number, mark, last=history.find_end(tx, after=number))

    async def _read_on(self) -> None:
        """Read all events after the head, stretch by stretch."""
        more = True
        while more:
            stretch = await run_in_threadpool(read_with_newest, self._service, self._read_next)
            if stretch is None:
                return
            kept = KeptStretch(stretch)
            self._kept.append(kept)
            self.head = kept.end
            for listener in self.listeners:
                listener.news.set()
            more = len(stretch.events) == STRETCH_EVENTS

    def _read_next(self, tx: Transaction) -> Stretch | None:
        number, mark = self.head
        return read_stretch(tx, after=number, mark=mark, limit=STRETCH_EVENTS)


class FeedReaders:
    """The readers of a process: one for each service that listeners read from, while anybody listens."""

    def __init__(self, watch: FeedWatch, registry: CollectorRegistry) -> None:
        self.watch = watch
        self._readers: dict[tuple[int, int], FeedReader] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners = Gauge(
            "complaints_feed_listeners",
            "Streams of the feed that are open now.",
            registry=registry,
            multiprocess_mode="livesum",
        )

    def join(self, service: Service, listener: Listener, head: FeedPlace) -> FeedReader:
        """Add a listener to the reader of `service`. The first listener starts one, at `head`."""
        loop = asyncio.get_running_loop()
        key = id(loop), id(service)
        reader = self._readers.get(key)
        if reader is None:
            reader = self._readers[key] = FeedReader(self.watch, service, head)
            task = loop.create_task(self._run(key, reader))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        reader.listeners.add(listener)
        self._listeners.inc()
        return reader

    def leave(self, reader: FeedReader, listener: Listener) -> None:
        """Remove a listener. The reader ends soon after the last one."""
        reader.listeners.discard(listener)
        self._listeners.dec()

    async def _run(self, key: tuple[int, int], reader: FeedReader) -> None:
        """Run a reader. Nobody joins it after its end: nothing waits between its end and this one."""
        try:
            await reader.run()
        finally:
            del self._readers[key]
