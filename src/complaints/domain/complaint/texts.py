"""The texts of events. They stand beside the history, so one can be erased and the history still verifies.

In the second form of an event, each text is replaced by a salted digest, and the event has the member `form`.
Events of the first form hold their texts themselves: older programs wrote them, and nobody writes them again.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from complaints.domain.json_text import encode
from complaints.domain.vocabulary import EventType

TEXT_NAMES = frozenset(
    {
        "subject", "description", "resolution", "root_cause", "message", "note", "text", "reason",
        "attributes", "tags", "service_id", "file_name",
    }
)  # fmt: skip
"""The members that are texts, in the event itself and among its changes."""
ERASED = "[erased]"
"""It stands in the place of a text that was erased. It is no text."""
SALT_BYTES = 16
_CODES: dict[str, frozenset[str]] = {EventType.HELD: frozenset({"reason"})}  # members of a closed set
_CHANGES, _OF_CHANGES, _FORM, _DIGEST = "changes", "changes.", "form", "digest"
_SECOND_FORM = 2
EventData = dict[str, Any]
Texts = dict[str, Any]
"""Texts by their place in an event: `subject`, or `changes.subject`."""


@dataclass(frozen=True, slots=True)
class EventTexts:
    """The texts of one event by place, and the salt of their digests."""

    salt: bytes
    texts: Texts


def find_texts(event_type: str, data: EventData) -> Texts:
    """The texts of an event by place. In the second form: what stands in place of the texts.

    Members without a value are no texts, and neither are codes, such as the reason of a hold.
    """
    codes = _CODES.get(event_type, frozenset())
    found = {name: v for name, v in data.items() if name in TEXT_NAMES and _is_text(v) and name not in codes}
    for name, value in data.get(_CHANGES, {}).items():
        if name in TEXT_NAMES and _is_text(value):
            found[_OF_CHANGES + name] = value
    return found


def find_own_texts(event_type: str, data: EventData) -> Texts:
    """The texts that stand in the event itself: all texts of the first form, none of the second."""
    return {} if _is_second_form(data) else find_texts(event_type, data)


def _is_second_form(data: EventData) -> bool:
    return bool(data.get(_FORM) == _SECOND_FORM)


def _is_text(value: object) -> bool:
    return bool(value) and value != ERASED


def split_texts(
    event_type: str, data: EventData, new_salt: Callable[[], bytes]
) -> tuple[EventData, EventTexts | None]:
    """The second form of an event, and its texts. An event without texts is the same in both forms."""
    texts = find_texts(event_type, data)
    if not texts:
        return data, None
    salt = new_salt()
    digests = {place: {_DIGEST: digest_text(salt, place, text)} for place, text in texts.items()}
    return _in_second_form(data, digests), EventTexts(salt, texts)


def digest_text(salt: bytes, place: str, text: Any) -> str:
    """SHA-256 of the salt, the name of the member, a zero byte and the text, in hexadecimal.

    The text of tags and attributes is their JSON with sorted keys and no spaces.
    """
    name = place.removeprefix(_OF_CHANGES)
    written = text.encode() if isinstance(text, str) else encode(text, sort_keys=True)
    return hashlib.sha256(salt + name.encode() + b"\0" + written).hexdigest()


def join_texts(event_type: str, data: EventData, texts: Texts) -> EventData:
    """The event as it was before its texts were split off. `[erased]` stands for each text that is not there."""
    if not _is_second_form(data):
        return data
    return _put(data, {place: texts.get(place, ERASED) for place in find_texts(event_type, data)})


def hide_texts(event_type: str, data: EventData, mask: str) -> EventData:
    """The event with `mask` in place of each text. Both forms then look the same."""
    return _put(data, dict.fromkeys(find_texts(event_type, data), mask))


def take_texts_out(event_type: str, data: EventData) -> EventData:
    """What is left of an event of the first form after its texts are erased: the second form without digests."""
    return _in_second_form(data, {place: {_DIGEST: None} for place in find_texts(event_type, data)})


def _in_second_form(data: EventData, values: Mapping[str, Any]) -> EventData:
    return {**_put(data, values), _FORM: _SECOND_FORM}


def _put(data: EventData, values: Mapping[str, Any]) -> EventData:
    """The event with other values in these places, and without the mark of its form."""
    made = {name: value for name, value in data.items() if name != _FORM}
    if _CHANGES in data:
        made[_CHANGES] = dict(data[_CHANGES])
    for place, value in values.items():
        if place.startswith(_OF_CHANGES):
            made[_CHANGES][place.removeprefix(_OF_CHANGES)] = value
        else:
            made[place] = value
    return made


# Proof -------------------------------------------------------------------------------------------------------------


def find_erased(history: Iterable[tuple[int, str, EventData]]) -> dict[int, str | None]:
    """The events whose texts were erased, by ordinal: the digest of what is left of the first form, else None.

    `history` has ordinal, type and data of events, oldest first. An event names only events before it.
    """
    return {
        named["ordinal"]: named.get(_DIGEST)
        for ordinal, event_type, data in history
        if event_type == EventType.ERASED
        for named in data["erased"]
        if named["ordinal"] < ordinal
    }


def find_text_faults(
    event_type: str, data: EventData, kept: EventTexts | None, *, is_erased: bool
) -> Iterator[str]:
    """What is wrong with the texts that are kept for an event. `data` is as stored."""
    digests = find_texts(event_type, data) if _is_second_form(data) else {}
    texts = kept.texts if kept else {}
    if is_erased and kept:
        yield "has texts that were erased"
    for place in sorted(digests.keys() | texts.keys()):
        if place not in digests:
            yield f"has a text {place} that its history does not know"
        elif kept and place in texts:
            if digests[place] != {_DIGEST: digest_text(kept.salt, place, texts[place])}:
                yield f"has a text {place} that is not what was written"
        elif not is_erased:
            yield f"lacks its text {place}, and no event says that it was erased"
