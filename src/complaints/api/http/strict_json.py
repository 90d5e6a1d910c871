"""JSON read strictly: what RFC 8259 leaves open is refused here, so that no surprise gets further in."""

import json
from collections.abc import Iterator
from math import isinf
from typing import Any, ClassVar, NoReturn

from complaints.domain.errors import ComplaintError, Fault, InvalidContent, escape_pointer

MAX_DEPTH = 32
"""Objects and arrays inside one another, the outermost included."""

_MAX_SHOWN = 100
_SAFE_DIGITS = 308
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NUL = "a NUL character"
_SURROGATE = "a lone surrogate (no character)"


class MalformedJson(ComplaintError):
    """It is not JSON that every reader understands the same way."""

    code: ClassVar[str] = "malformed-json"


def loads(body: bytes) -> Any:
    """The one JSON value in `body`.

    Raises MalformedJson (400) for what is not strict JSON in UTF-8: syntax, a byte order mark, a member named
    twice, NaN, Infinity, a number beyond a double; and InvalidContent (422) with a pointer for what is nested
    deeper than 32 or holds a NUL or a lone surrogate. Never RecursionError: depth is known before parsing.
    """
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _refuse_depth(body)
    try:
        value = _DECODER.decode(str(body, "utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedJson(f"The body is not UTF-8: byte {error.start} does not belong there.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise MalformedJson(f"The body is not valid JSON: {error.msg} at {where}.") from error
    if b"\\u" in body and (b"\\u0000" in body or _has_lone_surrogate(body, value)):
        _refuse_unstorable(value)
    return value


def _has_lone_surrogate(body: bytes, value: Any) -> bool:
    if b"\\ud" not in body and b"\\uD" not in body:
        return False
    try:
        # Faster than walking: most such escapes are halves of one emoji, whole again after parsing.
        _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        return True
    return False


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        shown = json.dumps(twice[:_MAX_SHOWN], ensure_ascii=True)
        raise MalformedJson(f"The member {shown} is there twice in one object; send it once.")
    return members


def _float(digits: str) -> float:
    value = float(digits)
    if isinf(value):
        raise MalformedJson("A number is beyond what a double holds (about 1.8e308).")
    return value


def _int(digits: str) -> int:
    if len(digits) > _SAFE_DIGITS:
        _float(digits)
    return int(digits)


def _constant(name: str) -> NoReturn:
    raise MalformedJson(f"{name} is not JSON; leave the member out, or send null.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_float, parse_int=_int, parse_constant=_constant
)

_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False)


def _refuse_depth(body: bytes) -> None:
    """Refuse what is nested too deep, in linear time and without looking at it as JSON.

    Strings are dropped, all but the brackets too; then each pass takes away the innermost pairs.
    """
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside = b"".join(unescaped.split(b'"')[::2])
    brackets = outside.translate(_BRACKETS, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        if b"[]" not in brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    # What never closes is malformed, and the parser says so; it must only not be deep.
    if b"[]" in brackets or brackets.count(b"[") > MAX_DEPTH:
        raise InvalidContent.at(
            "", f"The body is nested deeper than {MAX_DEPTH} objects and arrays; flatten it."
        )


def _refuse_unstorable(value: Any) -> None:
    faults = [
        Fault(pointer, f"{what} cannot be stored; remove it.") for pointer, what in _unstorable(value, "")
    ]
    if faults:
        raise InvalidContent(f"In the body, {faults[0].message}", faults=faults)


def _unstorable(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if what := _unstorable_in(value):
            yield pointer, what
    elif isinstance(value, dict):
        for name, member in value.items():
            if what := _unstorable_in(name):
                yield pointer, f"{what} in the name of a member"
            else:
                yield from _unstorable(member, f"{pointer}/{escape_pointer(name)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unstorable(item, f"{pointer}/{index}")


def _unstorable_in(text: str) -> str | None:
    if "\0" in text:
        return _NUL
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE
    return None
