"""The chain of a complaint's events. Each digest covers the event and the digest before it.

So a later change to a stored event is found: its digest, or the digest after it, no longer fits. The digests cover
the texts of an event through the salted digests that stand for them (`texts`).
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from complaints.domain.complaint.change import Event
from complaints.domain.complaint.texts import EventTexts, split_texts
from complaints.domain.json_text import encode

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class HistoryEnd:
    """The end of one complaint's history: the number of its events, and the digest of the last event."""

    count: int = 0
    digest: bytes = GENESIS


NO_HISTORY = HistoryEnd()


@dataclass(frozen=True, slots=True)
class ChainedEvent:
    """An event with its place in the history. `data` is canonical JSON text, with digests in place of texts.

    `ordinal` counts the events of one complaint, from 1. The text `data` is stored and digested unchanged. `texts`
    are kept beside it; None if the event has none.
    """

    ordinal: int
    event: Event
    data: str
    digest: bytes
    texts: EventTexts | None = None


def canonical(data: dict[str, Any]) -> str:
    """JSON text with sorted keys and no spaces. Equal content gives equal text."""
    return encode(data, sort_keys=True).decode()


def chain(
    end: HistoryEnd, events: Iterable[Event], new_salt: Callable[[], bytes]
) -> tuple[list[ChainedEvent], HistoryEnd]:
    """Chain events to the history that ends at `end`, in their second form. Returns them and the new end.

    `new_salt` gives `texts.SALT_BYTES` random bytes.
    """
    chained = []
    for event in events:
        split, texts = split_texts(event.type, event.data, new_salt)
        ordinal, data = end.count + 1, canonical(split)
        digest = chained_digest(end.digest, ordinal, event, data)
        chained.append(ChainedEvent(ordinal, event, data, digest, texts))
        end = HistoryEnd(ordinal, digest)
    return chained, end


def chained_digest(previous: bytes, ordinal: int, event: Event, data: str) -> bytes:
    """The SHA-256 digest of the previous digest and the whole event."""
    head = encode(
        {
            "ordinal": ordinal,
            "type": event.type,
            "version": event.version,
            "at": event.at,
            "actor": event.actor,
        },
        sort_keys=True,
    )
    return hashlib.sha256(previous + head + b"\n" + data.encode()).digest()


def fold(records: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Add up the data of all events, oldest first. Returns the complaint's members, and its deadlines by id.

    Members without a value (None, an empty list, an empty object) are left out, as in the first event.
    """
    members: dict[str, Any] = {}
    deadlines: dict[str, dict[str, Any]] = {}
    for data in records:
        members.update(data.get("changes", {}))
        deadlines.update({recorded["id"]: recorded for recorded in data.get("deadlines", [])})
    return {name: value for name, value in members.items() if value not in (None, [], {})}, deadlines
