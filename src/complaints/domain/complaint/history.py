"""The history's chain: each event's digest covers its content and the digest before, so tampering shows."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from complaints.domain.complaint.change import Event
from complaints.domain.json_text import encode

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class HistoryEnd:
    """The end of one complaint's history: how many events, and the digest of the last."""

    count: int = 0
    digest: bytes = GENESIS


NO_HISTORY = HistoryEnd()


@dataclass(frozen=True, slots=True)
class ChainLink:
    """An event in its place. `data` is canonical JSON text, stored and digested as it is."""

    ordinal: int
    event: Event
    data: str
    digest: bytes


def canonical(data: dict[str, Any]) -> str:
    """JSON text with sorted keys and no spaces: equal content, equal text."""
    return encode(data, sort_keys=True).decode()


def chain(end: HistoryEnd, events: Iterable[Event]) -> tuple[list[ChainLink], HistoryEnd]:
    """The events as links after `tip`, and the new tip."""
    links = []
    for event in events:
        ordinal, data = end.count + 1, canonical(event.data)
        digest = link_digest(end.digest, ordinal, event, data)
        links.append(ChainLink(ordinal, event, data, digest))
        end = HistoryEnd(ordinal, digest)
    return links, end


def link_digest(previous: bytes, ordinal: int, event: Event, data: str) -> bytes:
    """SHA-256 over the previous digest and everything the event says."""
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
    """The state that the events' data add up to: members of the complaint, and deadlines by id.

    A member that an event sets to nothing is left out, as in the first event.
    """
    members: dict[str, Any] = {}
    deadlines: dict[str, dict[str, Any]] = {}
    for data in records:
        members.update(data.get("changes", {}))
        deadlines.update({told["id"]: told for told in data.get("deadlines", [])})
    return {name: value for name, value in members.items() if value not in (None, [], {})}, deadlines
