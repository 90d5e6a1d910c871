"""The history of a complaint as a time line: an entry for each event in words, and folds for runs of the engine."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any

from complaints.console.views.event_words import EventWords, QuotedText
from complaints.domain.vocabulary import EventType
from complaints.use_cases.complaints.history import EventRecord, HistoryStretch

_ENGINE = "engine"


class Chip(StrEnum):
    """Which events a time line shows."""

    ALL = "all"
    CONTACTS = "contacts"
    CLOCKS = "clocks"
    PEOPLE = "people"


class EntryTone(StrEnum):
    """What an entry is about. It names the style of its dot."""

    CONTACT = "contact"
    LATE = "late"
    STEP = "step"
    PLAIN = "plain"


_CONTACTS = frozenset(
    {
        EventType.CREATED, EventType.IMPORTED_ENDED, EventType.RESPONDED, EventType.RESULT_NOTIFIED,
        EventType.CONTACT_RECORDED, EventType.CONTACT_REPEATED, EventType.REOPENED, EventType.CLOSED,
        EventType.REJECTED, EventType.WITHDRAWN, EventType.PROMISE_MADE, EventType.PROMISE_KEPT,
    }
)  # fmt: skip
_STEPS = frozenset(
    {EventType.ESCALATED, EventType.ESCALATION_ACKNOWLEDGED, EventType.DEADLINE_WARNING, EventType.FOLLOW_UP_DUE}
)  # fmt: skip
_SHOWN: dict[Chip, frozenset[EventType]] = {
    Chip.ALL: frozenset(EventType),
    Chip.CONTACTS: _CONTACTS,
    Chip.CLOCKS: _STEPS | {
        EventType.DEADLINE_BREACHED, EventType.DEADLINE_MET, EventType.HELD, EventType.RESUMED, EventType.REOPENED,
        EventType.PROMISE_MADE, EventType.PROMISE_KEPT, EventType.REPLANNED,
    },
    Chip.PEOPLE: frozenset(
        {
            EventType.ASSIGNED, EventType.NOTE_ADDED, EventType.UPDATED, EventType.ESCALATED,
            EventType.ESCALATION_ACKNOWLEDGED,
        }
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event in words. `about` are short facts, and `texts` what somebody wrote."""

    ordinal: int
    at: datetime
    who: str
    title: str
    about: Sequence[str]
    texts: Sequence[QuotedText]
    others: Sequence[tuple[str, str]]
    tone: EntryTone


@dataclass(frozen=True, slots=True)
class TimelineRun:
    """Entries in a row. `words` say what is in them; they are folded if there are words."""

    entries: Sequence[TimelineEntry]
    words: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A part of the time line. `earlier` and `later` are the ordinals after which the parts around it begin.

    None: there is no such part. `is_cut` is True if the first months of the history are no longer in the database.
    """

    runs: Sequence[TimelineRun]
    chip: Chip
    first: int
    last: int
    total: int
    earlier: int | None
    later: int | None
    is_cut: bool


def timeline_of(stretch: HistoryStretch, chip: Chip, words: EventWords, *, limit: int) -> Timeline:
    """The time line of some events, of which there are at most `limit`."""
    shown = [record for record in stretch.records if record.type in _SHOWN[chip]]
    first = stretch.records[0].ordinal if stretch.records else stretch.total + 1
    last = stretch.records[-1].ordinal if stretch.records else stretch.total
    is_cut = bool(stretch.total) and len(stretch.records) < min(limit, last) and first > 1
    return Timeline(
        runs=_runs(shown, words, is_folded=chip is Chip.ALL),
        chip=chip,
        first=first,
        last=last,
        total=stretch.total,
        earlier=max(0, first - 1 - limit) if first > 1 and not is_cut else None,
        later=last if last < stretch.total else None,
        is_cut=is_cut,
    )


def _runs(records: Iterable[EventRecord], words: EventWords, *, is_folded: bool) -> list[TimelineRun]:
    runs = []
    for is_routine, group in groupby(records, key=_is_routine):
        found = list(group)
        counts = Counter(words.title(record) for record in found)
        said = " · ".join(name if count == 1 else f"{count} × {name}" for name, count in counts.items())
        entries = [entry_of(record, words) for record in found]
        runs.append(TimelineRun(entries, said if is_folded and is_routine and len(found) > 1 else ""))
    return runs


def _is_routine(record: EventRecord) -> bool:
    """True for what the engine notes in passing. A missed deadline is always shown."""
    if record.type == EventType.DEADLINE_BREACHED:
        return False
    return record.actor == _ENGINE or record.type == EventType.DEADLINE_MET


def entry_of(record: EventRecord, words: EventWords) -> TimelineEntry:
    """The entry of one event."""
    return TimelineEntry(
        ordinal=record.ordinal,
        at=record.at,
        who=words.names.actor(record.actor),
        title=words.title(record),
        about=words.about(record),
        texts=words.texts(record),
        others=words.others(record),
        tone=_tone_of(record.type, record.data),
    )


def _tone_of(event_type: str, data: Mapping[str, Any]) -> EntryTone:
    if event_type == EventType.DEADLINE_BREACHED or (
        event_type == EventType.DEADLINE_MET and data.get("late")
    ):
        return EntryTone.LATE
    if event_type in _STEPS:
        return EntryTone.STEP
    return EntryTone.CONTACT if event_type in _CONTACTS else EntryTone.PLAIN
