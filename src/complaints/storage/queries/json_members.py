"""Values inside a column of JSON, as both databases read them. Paths are names of the code, never of callers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, Float, Text, case, cast, func, literal_column, select
from sqlalchemy.sql.selectable import TableValuedAlias

_LARGEST = 10**18 - 1
_WHOLE = r"^-?[0-9]{1,18}$"
Condition = Callable[[Any], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class JsonValue:
    """A value of JSON: its `kind` as the database names it, and its `content`."""

    on_sqlite: bool
    kind: ColumnElement[str]
    content: ColumnElement[Any]

    @property
    def text(self) -> ColumnElement[str]:
        """The value if it is a text, else NULL."""
        return case((self.kind == literal_column("'text'" if self.on_sqlite else "'string'"), self._written))

    @property
    def scalar(self) -> ColumnElement[str]:
        """A text, a truth value, or a whole number of at most 18 digits, as text. NULL for any other value."""
        if self.on_sqlite:
            is_small = self.content.between(literal_column(f"-{_LARGEST}"), literal_column(str(_LARGEST)))
            return case(
                (self.kind == literal_column("'text'"), self.content),
                (self.kind.in_([literal_column("'true'"), literal_column("'false'")]), self.kind),
                ((self.kind == literal_column("'integer'")) & is_small, cast(self.content, Text)),
            )
        is_whole = self._written.op("~", is_comparison=True)(literal_column(f"'{_WHOLE}'"))
        return case(
            (self.kind.in_([literal_column("'string'"), literal_column("'boolean'")]), self._written),
            ((self.kind == literal_column("'number'")) & is_whole, self._written),
        )

    @property
    def number(self) -> ColumnElement[float]:
        """The value if it is a number, else NULL."""
        kinds = ("'integer'", "'real'") if self.on_sqlite else ("'number'",)
        return case((self.kind.in_([literal_column(one) for one in kinds]), cast(self._written, Float)))

    @property
    def is_object(self) -> ColumnElement[bool]:
        """True if the value is an object."""
        return self.kind == literal_column("'object'")

    @property
    def exists(self) -> ColumnElement[bool]:
        """True if there is a value; null is one."""
        return self.kind.is_not(None)

    @property
    def _written(self) -> ColumnElement[Any]:
        return self.content if self.on_sqlite else self.content.op("#>>")(literal_column("'{}'"))

    def at(self, *path: str) -> "JsonValue":
        """The value of a member inside. If this is no object, it has no members."""
        inside = case((self.is_object, self.content))
        return json_at(inside, path, on_sqlite=self.on_sqlite)


def json_at(whole: ColumnElement[Any], path: Sequence[str], *, on_sqlite: bool) -> JsonValue:
    """The value at a path of names inside a column, or inside another value of JSON."""
    if on_sqlite:
        place: ColumnElement[str] = literal_column(f"""'${"".join(f'."{name}"' for name in path)}'""")
        return JsonValue(True, func.json_type(whole, place), func.json_extract(whole, place))
    names = ",".join(f'"{name}"' for name in path)
    found = whole.op("#>")(literal_column(f"'{{{names}}}'"))
    return JsonValue(False, func.json_typeof(found), found)


def any_element(listed: JsonValue, fits: Condition) -> ColumnElement[bool]:
    """True if `listed` is an array, and an element of it fits."""
    is_array = listed.kind == literal_column("'array'")
    values = case((is_array, listed.content), else_=literal_column("'[]'"))
    if listed.on_sqlite:
        found = func.json_each(values).table_valued("type", "value").alias()
        element = JsonValue(True, found.c.type, found.c.value)
    else:
        found = func.json_array_elements(cast(values, JSON)).table_valued(Column("value", JSON)).alias()
        element = JsonValue(False, func.json_typeof(found.c.value), found.c.value)
    return _any(found, fits(element))


def any_member(
    whole: ColumnElement[Any], fits: Callable[[Any, JsonValue], ColumnElement[bool]], *, on_sqlite: bool
) -> ColumnElement[bool]:
    """True if a member of an object fits: `fits` gets its name and its value."""
    if on_sqlite:
        found = func.json_each(whole).table_valued("key", "type", "value").alias()
        return _any(found, fits(found.c.key, JsonValue(True, found.c.type, found.c.value)))
    found = func.json_each(whole).table_valued(Column("key", Text), Column("value", JSON)).alias()
    return _any(found, fits(found.c.key, JsonValue(False, func.json_typeof(found.c.value), found.c.value)))


def _any(found: TableValuedAlias, where: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(literal_column("1")).select_from(found).where(where).correlate_except(found).exists()
