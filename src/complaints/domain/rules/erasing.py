"""Erasing the texts of events. The event `erased` names them, so the history still verifies without them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.history import GENESIS, ChainedEvent, canonical, chained_digest
from complaints.domain.complaint.texts import ERASED, TEXT_NAMES, find_own_texts, take_texts_out
from complaints.domain.vocabulary import EventType

_EMPTY: dict[str, Any] = {"subject": ERASED, "tags": (), "attributes": {}}


@dataclass(frozen=True, slots=True)
class Erasure:
    """An event whose texts are erased. `left` is the data that is left of an event of the first form, else None."""

    event: ChainedEvent
    left: str | None = None
    left_digest: str | None = None

    def recorded(self) -> dict[str, Any]:
        """The form of the erasure in the event that names it."""
        named = {"ordinal": self.event.ordinal}
        return named if self.left_digest is None else {**named, "digest": self.left_digest}


def plan_erasure(
    change: Change,
    history: Sequence[ChainedEvent],
    now: datetime,
    *,
    reason: str,
    ordinals: Collection[int] | None = None,
) -> list[Erasure]:
    """Plan to erase the texts of the events with these ordinals; by default of all events but those that erased.

    `history` has all events that are there, as stored. A member of the complaint whose value comes from an erased
    text is emptied; the subject becomes `[erased]`. Events without texts are passed over. Without any other event,
    nothing changes.
    """
    erased = _find_erasures(history, ordinals)
    if erased:
        change.touch(now)
        change.set(**_emptied(change.complaint, history, {one.event.ordinal for one in erased}))
        change.record(EventType.ERASED, now, reason=reason, erased=[one.recorded() for one in erased])
    return erased


def _find_erasures(history: Sequence[ChainedEvent], ordinals: Collection[int] | None) -> list[Erasure]:
    previous, found = GENESIS, []
    for one in history:
        chosen = one.event.type is not EventType.ERASED if ordinals is None else one.ordinal in ordinals
        if chosen and one.texts is not None:
            found.append(Erasure(one))
        elif chosen and find_own_texts(one.event.type, one.event.data):
            found.append(_erase_first_form(one, previous))
        previous = one.digest
    return found


def _erase_first_form(one: ChainedEvent, previous: bytes) -> Erasure:
    """The digest of what is left covers the digest before the event, as the digest of the event did."""
    left = canonical(take_texts_out(one.event.type, one.event.data))
    return Erasure(one, left, chained_digest(previous, one.ordinal, one.event, left).hex())


def _emptied(
    complaint: Complaint, history: Sequence[ChainedEvent], erased: Collection[int]
) -> dict[str, Any]:
    """The members of the complaint that come from an erased event, with their empty values."""
    last_changed = {
        name: one.ordinal
        for one in history
        for name in one.event.data.get("changes", {})
        if name in TEXT_NAMES
    }
    return {
        name: _EMPTY.get(name)
        for name, ordinal in last_changed.items()
        if ordinal in erased and getattr(complaint, name)
    }
