"""Converts the text of a CSV column, or a value of NDJSON, to the value of a member."""

import json
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from complaints.domain.complaint.members import PLAIN_MEMBERS
from complaints.domain.importing.dates import DateReader, swap_day_and_month
from complaints.domain.importing.files import ABSENT
from complaints.domain.importing.options import BodyMember, Dates, MemberKind, shorten
from complaints.domain.importing.patterns import MAX_VALUE, compile_pattern
from complaints.domain.importing.plain_text import to_plain
from complaints.domain.instants import write_instant
from complaints.domain.vocabulary import ContactChannel, Outcome, Priority

Converter = Callable[[Any], Any]

_FLAGS = {
    **dict.fromkeys(("true", "yes", "1"), True),
    **dict.fromkeys(("false", "no", "0"), False),
    **dict.fromkeys(("y", "t", "on", "x", "是", "对", "真", "有", "✓", "✔", "√"), True),
    **dict.fromkeys(("n", "f", "off", "否", "不是", "假", "无", "✗", "✘", "×"), False),
}
_WORDS: dict[str, type[StrEnum]] = {
    **{member.path: member.choices for member in PLAIN_MEMBERS if member.choices},
    "priority": Priority,
    "outcome": Outcome,
    "complainant.preferred_contact": ContactChannel,
    "reporter.preferred_contact": ContactChannel,
}
"""The closed sets of words, by the names of their members."""
_TAG_SEPARATORS = re.compile("[;|]")


def as_text(raw: Any) -> str:
    """The value as trimmed text, empty if it is absent. Raises ValueError for a list or an object."""
    if isinstance(raw, str):
        return raw.strip()
    if raw is None or raw is ABSENT:
        return ""
    if isinstance(raw, dict | list):
        raise ValueError("is a list or an object: name a path into it, such as turns.0.text")
    return json.dumps(raw)


def make_converter(member: BodyMember, dates: DateReader, decision: Dates, *, required: bool) -> Converter:
    """Make the converter of a member. It returns None for no value and raises ValueError for a wrong value.

    A date must not be empty. It may be absent only if it is not `required`.
    """
    if words := _WORDS.get(member.name):
        return _word_converter(words)
    if member.kind is not MemberKind.INSTANT:
        return _CONVERTERS[member.kind]
    swaps = decision is Dates.SWAP_AMBIGUOUS

    def convert(raw: Any) -> str | None:
        if raw is ABSENT and not required:
            return None
        return _as_instant(as_text(raw), dates, swaps=swaps)

    return convert


def check_word(member: BodyMember, text: str) -> None:
    """Raise ValueError if the member takes the words of a closed set only, and `text` is none of them."""
    words = _WORDS.get(member.name)
    if words and _word_converter(words)(text) not in [*words]:
        raise ValueError(f"cannot be '{shorten(text.strip())}': it is one of {', '.join(words)}")


def _word_converter(words: type[StrEnum]) -> Converter:
    """Make a converter to the word of a closed set. Case, white space and signs between letters may differ.

    Any other text stays as it is: the checks of the create body refuse it.
    """
    exact = {word.value for word in words}
    by_letters = {fold_letters(word): word for word in exact}

    def convert(raw: Any) -> str | None:
        text = as_text(raw)
        if text in exact:
            return text
        return by_letters.get(fold_letters(text), text) or None

    return convert


def fold_letters(text: str) -> str:
    """The letters and digits of a word, in which the words of a closed set are compared."""
    return "".join(filter(str.isalnum, to_plain(text).casefold()))


def expect_pattern(pattern: str, convert: Converter) -> Converter:
    """Make a converter that first checks that the whole text matches `pattern`.

    Raises ValueError if the pattern cannot be used.
    """
    matches = compile_pattern(pattern)

    def check(raw: Any) -> Any:
        text = as_text(raw)
        if not matches(text):
            long = f"; at most {MAX_VALUE} characters are compared" if len(text) > MAX_VALUE else ""
            raise ValueError(f"is '{shorten(text)}', which does not match the expected {pattern}{long}")
        return convert(raw)

    return check


def _as_instant(text: str, dates: DateReader, *, swaps: bool) -> str:
    """The instant in UTC, as RFC 3339."""
    if not text:
        raise ValueError("is mapped but empty")
    try:
        written = dates.read(text)
        instant = dates.instant(swap_day_and_month(written) if swaps else written)
    except ValueError as exc:
        raise ValueError(f"is '{shorten(text)}': {exc}") from exc
    return write_instant(instant)


def _as_text_or_none(raw: Any) -> str | None:
    return as_text(raw) or None


def _as_json(raw: Any) -> Any:
    if isinstance(raw, str):
        return raw.strip() or None
    return None if raw is ABSENT else raw


def _as_tags(raw: Any) -> Any:
    if isinstance(raw, list):
        return raw
    return [tag for part in _TAG_SEPARATORS.split(as_text(raw)) if (tag := part.strip())] or None


def _as_flag(raw: Any) -> bool | None:
    text = to_plain(as_text(raw)).strip().casefold()
    if text and text not in _FLAGS:
        raise ValueError(f"is '{shorten(text)}': it is one of {', '.join(_FLAGS)}")
    return _FLAGS.get(text)


def _as_object(raw: Any) -> dict[str, Any] | None:
    if raw is None or raw is ABSENT:
        return None
    if not isinstance(raw, dict):
        raise ValueError("is no object")
    return dict(raw)


_CONVERTERS: dict[MemberKind, Converter] = {
    MemberKind.TEXT: _as_text_or_none,
    MemberKind.TAGS: _as_tags,
    MemberKind.FLAG: _as_flag,
    MemberKind.OBJECT: _as_object,
    MemberKind.JSON: _as_json,
}
