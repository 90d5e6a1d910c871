"""The history of one complaint, the notes that users add to it, and the feed of all changes.

Events hold no personal data of the customers; it stands in its own table. The timeline shows the texts of events, and
the feed masks them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from complaints.domain.complaint.subject import SubjectName
from complaints.domain.complaint.texts import ERASED, hide_texts, join_texts
from complaints.domain.errors import Conflict, Forbidden
from complaints.domain.scope import ALL_COMPLAINTS, ScopeKind
from complaints.domain.vocabulary import EventType
from complaints.storage import months
from complaints.storage.database.transactions import Transaction
from complaints.storage.load import HistoryExtent
from complaints.storage.rows import event
from complaints.storage.rows.event import FeedFilter as FeedFilter
from complaints.storage.rows.event_text import read_texts
from complaints.storage.rows.subject import name_of
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import AddNote
from complaints.use_cases.complaints import notes_and_links
from complaints.use_cases.complaints.known import is_known, load_known_history
from complaints.use_cases.complaints.shown_events import show_data
from complaints.use_cases.complaints.views import MASK
from complaints.use_cases.named_filters import check_name
from complaints.use_cases.service import Service

_FEW_MONTHS = 2
_LOOKED_AT_ONCE = 20_000
MOST_LOOKED_AT = (
    200_000  # events for one request: a filter that fits few of them must not read the whole history
)
EVERYTHING = FeedFilter()


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event. `sequence` numbers all events in commit order, `ordinal` those of one complaint.

    It belongs to a complaint, or to another subject: then `complaint_id` is None.
    """

    id: UUID
    sequence: int
    ordinal: int
    complaint_id: UUID | None
    subject_id: UUID | None
    type: str
    version: int
    at: datetime
    actor: str
    data: dict[str, Any]


_members = itemgetter(*(name for name in EventRecord.__dataclass_fields__ if name != "data"))

_TYPE = tuple(EventRecord.__dataclass_fields__).index("type")


def event_without_texts(row: Mapping[Any, Any]) -> EventRecord:
    """The event of a row, with a mask in place of each text."""
    return EventRecord(*(*_members(row), hide_texts(row["type"], json.loads(row["data"]), MASK)))


def event_with_texts(row: Mapping[Any, Any]) -> EventRecord:
    """The event of a row that has its texts."""
    texts = read_texts(row["texts"])
    return EventRecord(*(*_members(row), join_texts(row["type"], json.loads(row["data"]), texts)))


def event_of_columns(row: Sequence[Any]) -> EventRecord:
    """The event of a row of `page_histories`, with its texts."""
    *members, data, texts = row
    return EventRecord(*(*members, join_texts(members[_TYPE], json.loads(data), read_texts(texts))))


@dataclass(frozen=True, slots=True)
class HistoryStretch:
    """Some events of one history, oldest first. `total` is the number of all its events."""

    records: Sequence[EventRecord]
    total: int


def timeline(
    tx: Transaction, caller: Caller, reference: str, *, after: int, limit: int
) -> Sequence[EventRecord]:
    """The events of a complaint after ordinal `after`, oldest first. Raises NotFound.

    Events in detached months are left out. The ordinal of the first event then shows how many are missing.
    """
    return load_stretch(tx, caller, reference, after=after, limit=limit).records


def load_stretch(
    tx: Transaction, caller: Caller, reference: str, *, after: int | None, limit: int
) -> HistoryStretch:
    """As `timeline`, with the length of the history. Without `after`: its last `limit` events."""
    extent = load_known_history(tx, caller, reference)
    first = max(0, extent.events - limit) if after is None else after
    rows = _rows(tx, extent, after=first, limit=limit)
    internal = caller.has_right_everywhere(Right.SEE_INTERNAL)
    internal = internal or is_known(tx, caller, reference, Right.SEE_INTERNAL)
    return HistoryStretch(_shown(tx, caller, rows, internal=internal), extent.events)


def _shown(
    tx: Transaction, caller: Caller, rows: Sequence[Mapping[Any, Any]], *, internal: bool
) -> list[EventRecord]:
    """The events as the caller sees them."""
    records = [event_with_texts(row) for row in rows]
    shown = show_data(tx, caller, [(record.type, record.data) for record in records], internal=internal)
    return [replace(record, data=data) for record, data in zip(records, shown, strict=True)]


def _rows(tx: Transaction, extent: HistoryExtent, *, after: int, limit: int) -> Sequence[Mapping[Any, Any]]:
    """Look in the months in which most complaints end, and in later months only if events are missing.

    Ordinals have no gaps, so the number of missing events is known.
    """
    complaint_id, end = extent.complaint_id, months.end_of_month(extent.events_after, _FEW_MONTHS)
    rows = event.list_events(
        tx, complaint_id, after=after, limit=limit, from_number=extent.events_after, below_number=end
    )
    missing = min(limit, extent.events - after) - len(rows)
    if missing <= 0:
        return rows
    seen = rows[-1]["ordinal"] if rows else after
    return [*rows, *event.list_events(tx, complaint_id, after=seen, limit=missing, from_number=end)]


def find_last_text(tx: Transaction, complaint_id: UUID, event_type: EventType, name: str) -> str | None:
    """A text of the latest event of this type. None: there is no such event, or its text was erased."""
    row = event.find_last_event(tx, complaint_id, event_type)
    text = event_with_texts(row).data.get(name) if row is not None else None
    return None if text == ERASED else text


def add_note(
    service: Service, tx: Transaction, caller: Caller, reference: str, command: AddNote
) -> EventRecord:
    """Add a note to the history. Returns its event. Raises NotFound."""
    complaint = notes_and_links.add_note(service, tx, caller, reference, command)
    tx.finish()  # writes and numbers the event
    row = event.find_last_event(tx, complaint.id, EventType.NOTE_ADDED)
    assert row is not None  # `finish` wrote it
    return event_with_texts(row)


# The feed ------------------------------------------------------------------------------------------------------------


class FeedSetBack(Conflict):
    """The place of a cursor is not in the feed: the database was restored to an earlier instant."""

    code = "feed-set-back"


@dataclass(frozen=True, slots=True)
class FeedEvent(EventRecord):
    """An event without texts, with what names its complaint or other subject.

    `status` is the new status, if the event changed it. Only complaints have a source and external ids.
    """

    subject: SubjectName
    number: str
    source: str | None
    external_id: str | None
    status: str | None


def changes(
    tx: Transaction,
    caller: Caller,
    *,
    after: int,
    limit: int,
    asked: FeedFilter = EVERYTHING,
    mark: UUID | None = None,
) -> tuple[Sequence[FeedEvent], int]:
    """Up to `limit` events after number `after` within the scope of the caller, and the number to continue from.

    All events up to the last number of this snapshot are committed (`storage.rows.event`). So the reader may
    continue from there, even if none of these events were asked for. At most `MOST_LOOKED_AT` events are looked at.
    `mark` is the id of event `after`, if it is known. Raises FeedSetBack if that event is no longer there, and
    Forbidden for a caller whose scope is neither everything nor a source (rule 7.7).
    """
    check_may_follow(caller)
    last = event.find_last_number(tx, after=after)
    check_place(tx, after, mark, last=last)
    seen, looked_at = after, 0
    is_whole = asked == EVERYTHING and caller.scope == ALL_COMPLAINTS
    while seen < last and looked_at < MOST_LOOKED_AT:
        up_to = last if is_whole else event.find_number_after(tx, seen, count=_LOOKED_AT_ONCE) or last
        rows = event.list_feed(tx, asked, after=seen, up_to=up_to, limit=limit, scope=caller.scope)
        seen = rows[-1]["sequence"] if len(rows) == limit else up_to
        looked_at += _LOOKED_AT_ONCE
        if rows:
            return _shown_in_feed(tx, caller, rows), seen
    return [], seen


def check_may_follow(caller: Caller) -> None:
    """Raise Forbidden for a caller whose scope is neither everything nor a source (rule 7.7)."""
    if caller.scope.kind not in (ScopeKind.ALL, ScopeKind.SOURCES):
        raise Forbidden(
            "The feed is for callers whose scope is every complaint or a source. Ask for lists of complaints instead."
        )


def check_place(tx: Transaction, after: int, mark: UUID | None, *, last: int) -> None:
    """Raise FeedSetBack if event `after` is gone. `mark` is its id, if known; `last` the number of the last event."""
    if after == 0:
        return
    found = event.find_id(tx, after)
    is_there = found == mark if mark is not None else found is not None or last > after
    if not is_there and after > months.horizon(tx):
        raise FeedSetBack(
            "The feed was set back: it no longer has the event at this cursor. Read it again from the beginning."
        )


def find_mark(tx: Transaction, number: int) -> UUID | None:
    """The id of the event with this number, by which a later reader knows it again."""
    return event.find_id(tx, number)


def find_end(tx: Transaction, *, after: int = 0) -> int:
    """The number of the last event of all complaints; `after` if no event comes after it."""
    return max(event.find_last_number(tx, after=after), after or months.horizon(tx))


def feed_filter(
    service: Service, tx: Transaction, *, types: Sequence[str], source: str | None, team: str | None
) -> FeedFilter:
    """The filter for the storage. Raises InvalidContent for an unknown type of event or an unknown team."""
    configuration = service.configuration(tx)
    for name in types:
        check_name(name, configuration.event_types, parameter="type", thing="type of event")
    check_name(team, configuration.directory.teams, parameter="team", thing="team")
    return FeedFilter(tuple(types), source, team)


def _shown_in_feed(tx: Transaction, caller: Caller, rows: Sequence[Mapping[Any, Any]]) -> list[FeedEvent]:
    """The events of the feed as the caller sees them."""
    events = [feed_event_of(row) for row in rows]
    internal = caller.has_right_everywhere(Right.SEE_INTERNAL)
    shown = show_data(tx, caller, [(found.type, found.data) for found in events], internal=internal)
    return [replace(found, data=data) for found, data in zip(events, shown, strict=True)]


def feed_event_of(row: Mapping[Any, Any]) -> FeedEvent:
    """The event of a row of the feed, before any mask but those of its texts."""
    data = hide_texts(row["type"], json.loads(row["data"]), MASK)
    status = data.get("changes", {}).get("status")
    subject = name_of(row)
    named = (subject, subject.number, row["source"], row["external_id"], status)
    members: tuple[Any, ...] = (*_members(row), data, *named)
    return FeedEvent(*members)
