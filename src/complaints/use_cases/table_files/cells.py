"""Cells of a table file: nested objects become columns, values become text, and no text is taken for a formula."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
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
        value: Any = item.get(self.path[0])
        for name in self.path[1:]:
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
    return _TEXTS[type(value)](value, zone)


class _Texts(dict[type, Callable[[Any, tzinfo], str]]):
    """How values become text, by type. It is chosen once for each type: a file has millions of cells."""

    def __missing__(self, kind: type) -> Callable[[Any, tzinfo], str]:
        write: Callable[[Any, tzinfo], str] = _write_plain
        if issubclass(kind, StrEnum):
            write = _write_member
        elif issubclass(kind, str):
            write = _write_text
        elif issubclass(kind, datetime):
            write = _write_instant_in
        elif issubclass(kind, list | tuple | Mapping):
            write = _write_many
        self[kind] = write
        return write


def _write_plain(value: Any, _zone: tzinfo) -> str:
    return str(value)


def _write_member(value: StrEnum, _zone: tzinfo) -> str:
    return value.value


def _write_text(value: str, _zone: tzinfo) -> str:
    return guard(value)


def _write_instant_in(value: datetime, zone: tzinfo) -> str:
    return write_instant(value) if zone is UTC else value.astimezone(zone).isoformat()


def _write_many(value: Any, _zone: tzinfo) -> str:
    if not isinstance(value, Mapping) and all(isinstance(one, _SCALARS) for one in value):
        return guard(_BETWEEN.join(map(str, value)))
    return encode(value).decode()


_TEXTS = _Texts(
    {
        type(None): lambda _value, _zone: "",
        bool: lambda value, _zone: "true" if value else "false",
    }
)
