"""Facts as JSON text: instants as RFC 3339 in UTC ("Z"), identifiers and amounts as text, closed sets by value."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

_OPTIONS = orjson.OPT_UTC_Z
_SORTED = _OPTIONS | orjson.OPT_SORT_KEYS


def encode(value: Any, *, sort_keys: bool = False) -> bytes:
    """`value` as JSON in UTF-8, without spaces. Raises TypeError for what JSON has no form for."""
    try:
        return orjson.dumps(value, _spelled, _SORTED if sort_keys else _OPTIONS)
    except TypeError:  # a whole number beyond 64 bits, which only the standard library spells
        text = json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys, default=_spelled_out
        )
        return text.encode()


def _spelled(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return "\\x" + value.hex()  # as PostgreSQL takes them
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _spelled_out(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, UUID) else _spelled(value)


def plain(value: object) -> Any:
    """The JSON form of a fact: instants as RFC 3339 in UTC, identifiers and amounts as text."""
    return _SPELLINGS[type(value)](value)


class _Spellings(dict[type, Callable[[Any], Any]]):
    """How facts of a type are spelled, found once for each type."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        spell: Callable[[Any], Any] = _as_it_is
        if issubclass(kind, datetime):
            spell = _instant
        elif issubclass(kind, UUID | Decimal):
            spell = str
        elif issubclass(kind, tuple | list):
            spell = _items
        elif issubclass(kind, Mapping):
            spell = _members
        self[kind] = spell
        return spell


_SPELLINGS = _Spellings()


def _as_it_is(value: object) -> object:
    return value


def _instant(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _items(value: Iterable[object]) -> list[Any]:
    return [plain(item) for item in value]


def _members(value: Mapping[str, object]) -> dict[str, Any]:
    return {key: plain(item) for key, item in value.items()}
