"""JSON read strictly: the API reads bodies with it, and imports read lines.

RFC 8259 lets readers disagree about doubled names, huge numbers and lone surrogates. Here they are faults.
"""

import json
from collections import Counter
from collections.abc import Callable
from math import isinf
from typing import Any, NoReturn

MAX_DEPTH = 32
"""The most objects and arrays inside one another. The outermost counts."""

_SAFE_DIGITS = 308
_NUL = "a NUL character"
_SURROGATE = "a lone surrogate (no character)"


class DoubledMember(ValueError):
    """An object names a member twice. The argument is the name."""


class NumberTooLarge(ValueError):
    """A number is beyond a double, about 1.8e308."""


class UnknownConstant(ValueError):
    """NaN, Infinity or -Infinity. The argument is the word."""


def strict_decoder(*, parse_int: Callable[[str], int] | None = None) -> json.JSONDecoder:
    """A decoder that raises DoubledMember, NumberTooLarge, UnknownConstant and json.JSONDecodeError.

    `parse_int` reads whole numbers. Without it the decoder is faster, and its caller must check them.
    """
    return json.JSONDecoder(
        object_pairs_hook=_members, parse_float=parse_float, parse_int=parse_int, parse_constant=_constant
    )


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        (name, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise DoubledMember(name)
    return members


def parse_float(digits: str) -> float:
    """The number. Raises NumberTooLarge if no double holds it."""
    number = float(digits)
    if isinf(number):
        raise NumberTooLarge
    return number


def parse_whole(digits: str) -> int:
    """The whole number. Raises NumberTooLarge if no double holds it."""
    if len(digits) > _SAFE_DIGITS:
        parse_float(digits)
    return int(digits)


def _constant(word: str) -> NoReturn:
    raise UnknownConstant(word)


def find_unstorable(text: str) -> str | None:
    """The part of a text that JSON can write and a database cannot store; None if there is none."""
    if "\0" in text:
        return _NUL
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE
    return None
