"""Bodies read with the strict JSON of the domain; their faults become refusals. `StrictRoute` calls it."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from complaints.domain.errors import ComplaintError, Fault, InvalidContent, escape_pointer
from complaints.domain.json_reading import (
    MAX_DEPTH,
    DoubledMember,
    NumberTooLarge,
    UnknownConstant,
    find_unstorable,
    parse_whole,
    strict_decoder,
)

_MAX_SHOWN = 100
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class MalformedJson(ComplaintError):
    """The body is not JSON that every reader understands in the same way."""

    code: ClassVar[str] = "malformed-json"


def loads(body: bytes) -> Any:
    """The JSON value of `body`.

    Raises MalformedJson (400) if the body is not strict JSON in UTF-8: wrong syntax, a byte order mark, a doubled
    member, NaN, Infinity, a number beyond a double. Raises InvalidContent (422) with a pointer for more than 32
    levels, a NUL or a lone surrogate. It never raises RecursionError: the depth is checked before parsing.
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
    except (DoubledMember, NumberTooLarge, UnknownConstant) as error:
        raise MalformedJson(_words(error)) from error
    if b"\\u" in body and (b"\\u0000" in body or _has_lone_surrogate(body, value)):
        _refuse_unstorable(value)
    return value


def _has_lone_surrogate(body: bytes, value: Any) -> bool:
    if b"\\ud" not in body and b"\\uD" not in body:
        return False
    try:
        # Faster than a walk over the value: most of these escapes are the two halves of one emoji.
        _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        return True
    return False


def _words(fault: ValueError) -> str:
    if isinstance(fault, DoubledMember):
        shown = json.dumps(fault.args[0][:_MAX_SHOWN], ensure_ascii=True)
        return f"The member {shown} is there twice in one object; send it once."
    if isinstance(fault, UnknownConstant):
        return f"{fault.args[0]} is not JSON; leave the member out, or send null."
    return "A number is beyond what a double holds (about 1.8e308)."


_DECODER = strict_decoder(parse_int=parse_whole)
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False)


def _refuse_depth(body: bytes) -> None:
    """Refuse a body with too many levels, in linear time and without parsing it.

    Only the brackets outside strings are kept. Then each pass removes the innermost pairs.
    """
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside = b"".join(unescaped.split(b'"')[::2])
    brackets = outside.translate(_BRACKETS, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        if b"[]" not in brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    # Brackets that never close are left to the parser, unless they are too deep for it.
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
        if what := find_unstorable(value):
            yield pointer, what
    elif isinstance(value, dict):
        for name, member in value.items():
            if what := find_unstorable(name):
                yield pointer, f"{what} in the name of a member"
            else:
                yield from _unstorable(member, f"{pointer}/{escape_pointer(name)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unstorable(item, f"{pointer}/{index}")
