"""Stretches of the feed: events that are read once for all listeners of a process, and shown to each in memory.

`history.changes` asks the database the same questions for one reader. A test compares the answers of both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from complaints.domain.scope import ALL_COMPLAINTS, Scope
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import event
from complaints.storage.rows.event import FeedFilter
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.history import (
    EVERYTHING,
    FeedEvent,
    check_may_follow,
    check_place,
    feed_event_of,
)
from complaints.use_cases.complaints.shown_events import find_ids, mask_data, without_ids


@dataclass(frozen=True, slots=True)
class FeedView:
    """What a listener sees of the feed: its scope, the texts that its rights show, and the events it asked for."""

    scope: Scope
    internal: bool
    persons: bool
    asked: FeedFilter

    @classmethod
    def of(cls, caller: Caller, asked: FeedFilter) -> "FeedView":
        """The view of a caller. Raises Forbidden for a caller who may not follow the feed (rule 7.7)."""
        caller.require(Right.READ_OWN)
        check_may_follow(caller)
        internal = caller.has_right_everywhere(Right.SEE_INTERNAL)
        return cls(caller.scope, internal, caller.has_right_everywhere(Right.SEE_PERSONS), asked)

    @classmethod
    def live(cls, caller: Caller) -> "FeedView":
        """The view of a page that is kept up to date: which complaints in scope change. It shows no text and no person.

        The scope is compared with the complaint as it is when the event is read. So a complaint that just left the
        scope is missed, and a page must not take this view for the whole feed.
        """
        caller.require(Right.READ_OWN)
        return cls(caller.scope, False, False, EVERYTHING)

    def admits(self, found: FeedEvent, holder: "FeedHolder") -> bool:
        """True if an event is in scope and asked for. Only complaints have a source."""
        in_scope = self.scope == ALL_COMPLAINTS or (found.source is not None and self.scope.admits(holder))
        return in_scope and self.asked.fits(found.type, source=found.source, team=holder.team)


@dataclass(frozen=True, slots=True)
class FeedHolder:
    """Who has the complaint of an event, as it is when the event is read. Other subjects have a team alone."""

    source: str
    team: str
    assignee: str | None
    first_owner: str

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> "FeedHolder":
        """The holder in a row of `list_feed`."""
        return cls(row["source"] or "", row["team"] or "", row["assignee"], row["first_owner"] or "")


@dataclass(frozen=True, slots=True)
class Stretch:
    """All events after number `after`, in the order of commits, before the masks of any caller.

    `holders` has whoever had their subjects at the time of reading. `sources` has the source of each complaint whose id
    stands in the data of an event.
    """

    after: int
    events: Sequence[FeedEvent]
    holders: Sequence[FeedHolder]
    sources: Mapping[str, str]

    @property
    def last(self) -> FeedEvent:
        """The last event. A stretch is never empty."""
        return self.events[-1]

    def shown_in(self, view: FeedView) -> list[FeedEvent]:
        """The events that the view admits, with its masks."""
        hidden = {text for text, source in self.sources.items() if not view.scope.admits_source(source)}
        admitted = (
            found
            for found, holder in zip(self.events, self.holders, strict=True)
            if view.admits(found, holder)
        )
        return [_shown(found, view, hidden) for found in admitted]


def _shown(found: FeedEvent, view: FeedView, hidden: set[str]) -> FeedEvent:
    data = mask_data(found.type, found.data, internal=view.internal, persons=view.persons)
    return replace(found, data=without_ids(data, hidden) if hidden else data)


def read_stretch(tx: Transaction, *, after: int, mark: UUID | None, limit: int) -> Stretch | None:
    """The next events of everybody after number `after`, at most `limit`; None if there are none.

    `mark` is the id of event `after`, if it is known. Raises FeedSetBack if that event is no longer there.
    """
    last = event.find_last_number(tx, after=after)
    check_place(tx, after, mark, last=last)
    rows = event.list_feed(tx, EVERYTHING, after=after, up_to=last, limit=limit, scope=ALL_COMPLAINTS)
    if not rows:
        return None
    events = [feed_event_of(row) for row in rows]
    sources = load.find_sources(tx, find_ids([found.data for found in events]))
    named = {str(complaint_id): source for complaint_id, source in sources.items()}
    return Stretch(after, events, [FeedHolder.of(row) for row in rows], named)
