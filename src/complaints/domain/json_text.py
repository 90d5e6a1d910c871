"""Facts as JSON text: instants as RFC 3339 in UTC ("Z"), identifiers and amounts as text, closed sets by value."""

import json
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
