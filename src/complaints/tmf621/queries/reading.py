"""Query strings as queries. Each fault is refused with the name of its parameter."""

import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

from complaints.domain.errors import InvalidContent, ask_if_meant, clip
from complaints.tmf621.queries.json_path import read_json_path
from complaints.tmf621.queries.patterns import Pattern, UnusablePattern, read_pattern
from complaints.tmf621.queries.query import (
    OPERATORS,
    Condition,
    Grammar,
    Member,
    MemberType,
    Operator,
    Query,
    SortBy,
    Value,
)
from complaints.use_cases.commands.field_types import parse_instant

DEFAULT_LIMIT, MOST_LIMIT = 20, 100
_MOST_PARAMETERS, _MOST_VALUES, _LONGEST_VALUE, _MOST_SORTS = 50, 50, 500, 3
_MOST_VALUES_OF_ALL, _MOST_PATTERNS = 100, 20  # each is compared with every ticket
_LONGEST_CURSOR = 2_000
_FURTHEST = 10**15  # no list is so long
_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_SEPARATOR = re.compile(r"(?<!\\),")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
_FLAGS = {"true": True, "false": False}
_CURSORS = ("before", "after")
_MAY_BE_EMPTY = frozenset({*_CURSORS, "sort", "filter"})
Parameter = tuple[str, str]


def read_query(query_string: bytes, grammar: Grammar) -> Query:
    """The query that a list is asked for. Raises InvalidContent with the faulty parameter.

    Values of a condition are separated by commas. A comma after a backslash is a part of a value. A cursor, an order
    or a filter without a value asks nothing.
    """
    sent = _split(query_string)
    scalar = _scalars(sent, grammar.parameters)
    conditions = [_condition(name, text, grammar) for name, text in sent if name not in scalar]
    scalar = {name: text for name, text in scalar.items() if text or name not in _MAY_BE_EMPTY}
    if "filter" in scalar:
        conditions.append(_filter(scalar["filter"], grammar))
    _check_cost(conditions)
    place = {name: _cursor(name, scalar[name]) for name in _CURSORS if name in scalar}
    if len(place) + ("offset" in scalar) > 1:
        message = "Send only one of offset, before and after."
        raise InvalidContent.in_query("offset" if "offset" in scalar else "after", message)
    return Query(
        fields=_fields(scalar.get("fields")),
        offset=_whole("offset", scalar["offset"]) if "offset" in scalar else None,
        limit=min(_whole("limit", scalar["limit"]), MOST_LIMIT) if "limit" in scalar else DEFAULT_LIMIT,
        before=place.get("before"),
        after=place.get("after"),
        sort=_sort(scalar["sort"], grammar) if "sort" in scalar else (),
        conditions=tuple(conditions),
    )


def read_fields(query_string: bytes) -> tuple[str, ...] | None:
    """The fields that a request for one object asks for; None: all. Raises InvalidContent for another parameter."""
    sent = _split(query_string)
    for name, _ in sent:
        if name != "fields":
            _refuse_unknown(name, ("fields",))
    return _fields(_scalars(sent, ("fields",)).get("fields"))


# Parameters -------------------------------------------------------------------------------------------------


def _split(query_string: bytes) -> list[Parameter]:
    """The parameters in the order of the query, decoded."""
    parts = [part for part in query_string.split(b"&") if part]
    if len(parts) > _MOST_PARAMETERS:
        raise InvalidContent(f"A query has at most {_MOST_PARAMETERS} parameters.")
    return [_decode_one(part) for part in parts]


def _decode_one(part: bytes) -> Parameter:
    name, equals, value = part.partition(b"=")
    decoded = _decode(name), _decode(value)
    if ";" in decoded[0] or ";" in decoded[1]:
        message = "A query must have no semicolon: separate parameters by &, and values by a comma."
        raise InvalidContent.in_query(_shown(decoded[0].partition(";")[0]), message)
    if not equals:
        raise _fault(decoded[0], "needs the sign = and a value")
    return decoded


def _decode(sent: bytes) -> str:
    if _PERCENT.search(sent):
        raise InvalidContent("The query has a percent sign without two hexadecimal digits: write %25 for it.")
    try:
        text = unquote_to_bytes(sent.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise InvalidContent("The query is not UTF-8.") from None
    if "\0" in text:
        raise InvalidContent("The query holds a NUL character (%00); remove it.")
    return text


def _scalars(sent: Sequence[Parameter], names: Sequence[str]) -> dict[str, str]:
    """The parameters of these names, each of which may be sent once."""
    found: dict[str, str] = {}
    for name, value in sent:
        if name in found:
            raise _fault(name, "must be sent once only")
        if name in names:
            found[name] = value
    return found


def _fault(parameter: str, message: str) -> InvalidContent:
    """The refusal of a parameter. The message goes on from its name."""
    shown = _shown(parameter)
    return InvalidContent.in_query(shown, f"{shown} {message}.")


def _shown(name: str) -> str:
    return clip(name, 100) or "?"


# Page and order ---------------------------------------------------------------------------------------------


def _fields(text: str | None) -> tuple[str, ...] | None:
    """The members at the top. `a.b` asks for all of `a`."""
    if text is None:
        return None
    return tuple(dict.fromkeys(one.strip().partition(".")[0] for one in text.split(",") if one.strip()))


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _fault(name, "must be a whole number from 0")
    digits = text.lstrip("0") or "0"
    return min(int(digits), _FURTHEST) if len(digits) <= len(str(_FURTHEST)) else _FURTHEST


def _cursor(name: str, text: str) -> str:
    if not text or len(text) > _LONGEST_CURSOR:
        raise _fault(name, "must be a cursor from the header Link of an earlier page")
    return text


def _sort(text: str, grammar: Grammar) -> tuple[SortBy, ...]:
    keys = [SortBy(one.strip().removeprefix("-"), one.strip().startswith("-")) for one in text.split(",")]
    for key in keys:
        if key.name not in grammar.sorts:
            raise _fault("sort", f"can be {', '.join(grammar.sorts)}, or these with - before them")
    if len(keys) > _MOST_SORTS or len({key.name for key in keys}) < len(keys):
        raise _fault("sort", f"can have at most {_MOST_SORTS} members, each once")
    return tuple(keys)


# Conditions -------------------------------------------------------------------------------------------------


def _condition(parameter: str, text: str, grammar: Grammar) -> Condition:
    name, operator = _named(parameter, grammar)
    member = _member(name, parameter, grammar)
    allowed = OPERATORS[member.kind]
    if operator not in allowed:
        raise _fault(parameter, f"has an operator that its member has not: choose {', '.join(allowed)}")
    parts = _SEPARATOR.split(text)
    if len(parts) > _MOST_VALUES:
        raise _fault(parameter, f"can have at most {_MOST_VALUES} values")
    values = tuple(_value(part, member, operator, parameter) for part in parts)
    return Condition(_path(name, member), operator, values, parameter)


def _check_cost(conditions: Sequence[Condition]) -> None:
    """Raise InvalidContent for conditions that would take a list too long."""
    values = [value for one in conditions for value in one.values]
    if len(values) > _MOST_VALUES_OF_ALL:
        raise InvalidContent(f"The conditions of a query have at most {_MOST_VALUES_OF_ALL} values together.")
    if sum(isinstance(value, Pattern) for value in values) > _MOST_PATTERNS:
        raise InvalidContent(f"The conditions of a query have at most {_MOST_PATTERNS} patterns together.")


def _named(parameter: str, grammar: Grammar) -> tuple[str, Operator]:
    name, dot, last = parameter.rpartition(".")
    if dot and parameter not in grammar.members and last in {*Operator}:
        return name, Operator(last)
    return parameter, Operator.EQ


def _member(name: str, parameter: str, grammar: Grammar) -> Member:
    member = grammar.members.get(name)
    if member is None:
        _refuse_unknown(name, (*grammar.members, *grammar.parameters), parameter)
    return grammar.members[name]


def _refuse_unknown(name: str, known: Sequence[str], parameter: str | None = None) -> None:
    meant = ask_if_meant(name, known) or "check its spelling, or leave it out"
    shown = _shown(parameter or name)
    raise InvalidContent.in_query(shown, f"{shown} is unknown here; {meant}")


def _path(name: str, member: Member) -> tuple[str, ...]:
    return tuple((member.path or name).split("."))


def _filter(text: str, grammar: Grammar) -> Condition:
    found = read_json_path(text)
    if found is None:
        raise _fault(
            "filter", "must be one comparison, such as attachment[?(@size==300)] or $[?(@.priority=='High')]"
        )
    member = grammar.members.get(found.path)
    if member is None:
        meant = ask_if_meant(found.path, grammar.members) or "check its spelling, or leave it out"
        raise InvalidContent.in_query("filter", f"{_shown(found.path)} is unknown here; {meant}")
    is_number = member.kind is MemberType.NUMBER
    if member.kind is MemberType.FLAG or found.is_quoted is is_number:
        raise _fault("filter", "compares a member with a value of another type")
    value = _value(found.value, member, Operator.EQ, "filter")
    return Condition(_path(found.path, member), Operator.EQ, (value,), "filter")


def _value(text: str, member: Member, operator: Operator, parameter: str) -> Value:
    if not text or len(text) > _LONGEST_VALUE:
        raise _fault(parameter, f"must have values of 1 to {_LONGEST_VALUE} characters")
    if operator is Operator.REGEX:
        return _pattern(text, parameter)
    try:
        return _typed(text.replace("\\,", ","), member)
    except ValueError as fault:
        shown = _shown(parameter)
        raise InvalidContent.in_query(shown, f"{shown}: {fault}.") from None


def _pattern(text: str, parameter: str) -> Pattern:
    try:
        return read_pattern(text)
    except UnusablePattern:
        message = (
            r"must be a pattern of literal text, `.`, at most five `.*`, `^`, `$` and escaped signs like `\.`"
        )
        raise _fault(parameter, message) from None


def _typed(text: str, member: Member) -> Value:
    """The value that a text means for a member. Raises ValueError with the reason."""
    match member.kind:
        case MemberType.INSTANT:
            # A plus sign that was not escaped arrives as a space.
            return parse_instant(text[:-6] + "+" + text[-5:] if text[-6:-5] == " " else text)
        case MemberType.NUMBER:
            if not _NUMBER.fullmatch(text):
                raise ValueError("must be a number")
            return float(text)
        case MemberType.FLAG:
            if text not in _FLAGS:
                raise ValueError("must be true or false")
            return _FLAGS[text]
        case MemberType.TEXT:
            if member.words and text not in member.words:
                raise ValueError(f"must be one of {', '.join(member.words)}")
            return text
