"""Cells of a table file: nested objects become columns, values become text, and no text is taken for a formula."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from complaints.domain.instants import write_instant
from complaints.domain.json_text import encode

_STARTS = "=+-@\t\r\n"
GUARD = "'"
_BETWEEN = "; "
_SCALARS = (str, int, float)


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and the members that lead to its value. `name` has a dot between them: `result.outcome`."""

    name: str
    path: tuple[str, ...]

    def find_value(self, item: Mapping[str, Any]) -> Any:
        """The value of an item; None if the item or an object on the way lacks it."""
        value: Any = item
        for name in self.path:
            if value is None:
                return None
            value = value.get(name)
        return value


def columns_of(shape: type[BaseModel]) -> tuple[Column, ...]:
    """A column for each member of `shape`, in order. A member that is an object has a column for each own member."""
    return tuple(Column(".".join(path), path) for path in _paths(shape, ()))


def _paths(shape: type[BaseModel], before: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, field in shape.model_fields.items():
        path = (*before, field.serialization_alias or field.alias or name)
        inner = _object_in(field.annotation)
        if inner is None or inner.__name__ in before:
            yield path
        else:
            yield from _paths(inner, path)


def _object_in(hint: Any) -> type[BaseModel] | None:
    """The model, if the values of a member are objects of one model, or null."""
    if get_origin(hint) is Annotated:
        return _object_in(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        return _object_in(kinds[0]) if len(kinds) == 1 else None
    return hint if isinstance(hint, type) and issubclass(hint, BaseModel) else None


def guard(text: str) -> str:
    """The text as no spreadsheet takes it for a formula: an apostrophe stands before a sign that begins one.

    White space and invisible characters before the sign do not matter, and neither does its full-width form.
    """
    if not text:
        return text
    first = text[0]
    if first in _STARTS:
        return GUARD + text
    if first.isalnum() and first < "\x80":
        return text
    sign = _first_visible(text)
    return GUARD + text if sign and unicodedata.normalize("NFKC", sign)[:1] in _STARTS else text


def _first_visible(text: str) -> str:
    return next((one for one in text if unicodedata.category(one)[0] not in "ZC"), "")


def text_of(value: Any, zone: tzinfo = UTC) -> str:
    """A value as the text of a cell: empty for None, RFC 3339 in `zone` for an instant, JSON for an object.

    A list of simple values has `; ` between them. Every text is guarded.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return guard(str(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return write_instant(value) if zone is UTC else value.astimezone(zone).isoformat()
    if isinstance(value, list | tuple | Mapping):
        return guard(_text_of_many(value))
    return str(value)


def _text_of_many(value: Any) -> str:
    if not isinstance(value, Mapping) and all(isinstance(one, _SCALARS) for one in value):
        return _BETWEEN.join(one.value if isinstance(one, StrEnum) else str(one) for one in value)
    return encode(value).decode()
