"""What an export has of each complaint: its members, and its columns in a table. Pure functions."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from operator import itemgetter
from typing import Annotated, Any

from pydantic import Field

from complaints.api.complaints.json_shapes import complaint_json
from complaints.api.complaints.schemas import ComplaintPicked
from complaints.api.openapi.models import Id
from complaints.domain.vocabulary import DeadlineKind
from complaints.use_cases.complaints.views import ComplaintParts
from complaints.use_cases.table_files.cells import Column, columns_of


class HeaderLanguage(StrEnum):
    """The names in the header of a table: the names of the API, Chinese names, or both."""

    EN = "en"
    ZH = "zh"
    BOTH = "both"


class ComplaintExported(ComplaintPicked):
    """A complaint in an export. A merged one stays there, and `merged_into` names the complaint that goes on."""

    merged_into: Annotated[
        Id | None, Field(description="The complaint into which this one was merged; null: it was not.")
    ]


PERSONS = frozenset({"complainant", "reporter"})
_LEFT_OUT = PERSONS | {"subject", "description", "tags", "attributes", "allowed_actions"}
_INNER_TEXTS = frozenset({("service", "id"), ("result", "resolution"), ("result", "root_cause")})
_DEADLINES = "deadlines"
_OF_DEADLINES = ("due_at", "met_at", "status")
_order = itemgetter("cycle", "sequence", "attempt")


@dataclass(frozen=True, slots=True)
class ExportContent:
    """The members of each complaint in an export. `has_texts`: texts inside of objects are among them.

    `kinds` are the kinds of deadlines that have columns in a table. `kind_names` are the Chinese names of own kinds.
    """

    members: frozenset[str]
    has_texts: bool
    kinds: tuple[str, ...] = tuple(DeadlineKind)
    kind_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_persons(self) -> bool:
        """True if the export shows persons, with or without masks."""
        return not self.members.isdisjoint(PERSONS)

    def item_of(self, parts: ComplaintParts) -> dict[str, Any]:
        """A complaint with these members."""
        shown = complaint_json(parts)
        shown["merged_into"] = parts.members["merged_into"]
        item = {name: value for name, value in shown.items() if name in self.members}
        return item if self.has_texts else _without_inner_texts(item)

    def columns(self) -> tuple[Column, ...]:
        """The columns of a table with these members."""
        return tuple(
            column
            for column in _every_column(self.kinds)
            if column.path[0] in self.members and (self.has_texts or column.path not in _INNER_TEXTS)
        )


def choose_content(fields: frozenset[str] | None, *, full: bool) -> ExportContent:
    """The members that `fields` names, or all of them if the export is `full`; else those without texts and persons."""
    every = frozenset(ComplaintExported.model_fields)
    if fields is not None or full:
        return ExportContent(every if fields is None else fields, has_texts=True)
    return ExportContent(every - _LEFT_OUT, has_texts=False)


def _without_inner_texts(item: dict[str, Any]) -> dict[str, Any]:
    for group, name in _INNER_TEXTS:
        if item.get(group):
            item[group] = {key: value for key, value in item[group].items() if key != name}
    return item


@cache
def _every_column(kinds: tuple[str, ...]) -> tuple[Column, ...]:
    """All columns. The last deadline of each kind has columns of its own, in place of the list of deadlines."""
    found: list[Column] = []
    for column in columns_of(ComplaintExported):
        if column.path == (_DEADLINES,):
            found += [
                Column(f"{kind}.{name}", (_DEADLINES, kind, name)) for kind in kinds for name in _OF_DEADLINES
            ]
        else:
            found.append(column)
    return tuple(found)


def values_of(item: Mapping[str, Any], columns: Sequence[Column]) -> list[Any]:
    """The values of the columns for one complaint."""
    if _DEADLINES in item:
        last = {one["kind"]: one for one in sorted(item[_DEADLINES], key=_order)}
        item = {**item, _DEADLINES: last}
    return [column.find_value(item) for column in columns]


def titles_of(
    columns: Sequence[Column], language: HeaderLanguage, kind_names: Mapping[str, str] | None = None
) -> list[str]:
    """The titles of the columns in a language. `kind_names` are the Chinese names of own kinds of deadlines."""
    if language is HeaderLanguage.EN:
        return [column.name for column in columns]
    names = [_chinese_name(column, kind_names or {}) for column in columns]
    if language is HeaderLanguage.ZH:
        return names
    return [f"{column.name} {name}" for column, name in zip(columns, names, strict=True)]


def _chinese_name(column: Column, kind_names: Mapping[str, str]) -> str:
    """The Chinese name of a column. An own kind of deadlines without one keeps its name."""
    names = _chinese_names()
    if column.name in names:
        return names[column.name]
    kind, _, member = column.name.rpartition(".")
    return f"{kind_names.get(kind, kind)} {names[f'{_DEADLINES}.{member}']}"


@cache
def _chinese_names() -> Mapping[str, str]:
    text = resources.files(__package__).joinpath("columns_zh.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
