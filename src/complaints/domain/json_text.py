"""Facts as JSON: instants as RFC 3339 in UTC, identifiers and amounts as text, members of closed sets by value."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from complaints.domain.instants import write_instant

_OPTIONS = orjson.OPT_UTC_Z
_SORTED = _OPTIONS | orjson.OPT_SORT_KEYS


def encode(value: Any, *, sort_keys: bool = False) -> bytes:
    """`value` as JSON in UTF-8, without spaces. Raises TypeError for a type without a form in JSON."""
    try:
        return orjson.dumps(value, _write_special, _SORTED if sort_keys else _OPTIONS)
    except TypeError:  # a whole number beyond 64 bits: only the standard library writes it
        text = json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys, default=_write_fact
        )
        return text.encode()


def _write_special(value: object) -> str:
    """The text for a type that orjson does not know."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return "\\x" + value.hex()  # the form that PostgreSQL reads
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _write_fact(value: object) -> str:
    """The text for a type that the standard library does not know."""
    if isinstance(value, datetime):
        return write_instant(value)
    return str(value) if isinstance(value, UUID) else _write_special(value)


def to_json(value: object) -> Any:
    """The JSON form of a fact: instants as RFC 3339 in UTC, identifiers and amounts as text."""
    return _CONVERSIONS[type(value)](value)


class _Conversions(dict[type, Callable[[Any], Any]]):
    """The conversion of facts to plain JSON, by type. It is chosen once for each type."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        convert: Callable[[Any], Any] = _keep
        if issubclass(kind, datetime):
            convert = write_instant
        elif issubclass(kind, UUID | Decimal):
            convert = str
        elif issubclass(kind, tuple | list):
            convert = _convert_items
        elif issubclass(kind, Mapping):
            convert = _convert_members
        self[kind] = convert
        return convert


_CONVERSIONS = _Conversions()


def _keep(value: object) -> object:
    return value


def _convert_items(value: Iterable[object]) -> list[Any]:
    return [to_json(item) for item in value]


def _convert_members(value: Mapping[str, object]) -> dict[str, Any]:
    return {key: to_json(item) for key, item in value.items()}
