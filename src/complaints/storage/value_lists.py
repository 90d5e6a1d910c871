"""That a column is one of many values: one bound value however many there are, so that the statement stays the same."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Boolean, ColumnElement, Dialect, Text, TypeDecorator, Uuid, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.type_api import TypeEngine
from sqlalchemy.sql.visitors import InternalTraversal


class _ListOf(TypeDecorator[Collection[Any]]):
    """On PostgreSQL an array; on SQLite, which has none, JSON with identifiers as they are stored there."""

    impl = ARRAY(Text)
    cache_ok = True

    def __init__(self, kind: type[TypeEngine[Any]]) -> None:
        super().__init__()
        self.kind = kind

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """The type of the engine."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(self.kind))

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        """As that type takes it."""
        values = value or ()
        if dialect.name != "sqlite":
            return list(values)
        return to_json([one.hex if isinstance(one, UUID) else one for one in values]).decode()


class _Among(ColumnElement[bool]):
    """`column` is one of the values bound under a name."""

    inherit_cache = True
    type = Boolean()
    _traverse_internals = [  # noqa: RUF012 - how the library takes it
        ("column", InternalTraversal.dp_clauseelement),
        ("values", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[Any], values: ColumnElement[Any]) -> None:
        self.column = column
        self.values = values

    def self_group(self, against: Any = None) -> "_Among":
        """As it is: on SQLite `= 1` would be put behind it, and no index would be looked at."""
        return self


@compiles(_Among)
def _compile(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(one, **options) for one in (element.column, element.values))
    if compiler.dialect.name == "sqlite":
        return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are made by the library
    return f"{column} = ANY({values})"


def among(column: Any, name: str = "ids") -> ColumnElement[bool]:
    """That `column`, an identifier or text, is one of those given as `name` when the statement is executed."""
    kind = Uuid if isinstance(column.type, Uuid) else Text
    return _Among(column, bindparam(name, type_=_ListOf(kind)))
