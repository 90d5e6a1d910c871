"""That an identifier is one of many: one bound value however many there are, so that the statement stays the same."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Boolean, ColumnElement, Dialect, Text, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal


class _IdList(TypeDecorator[Collection[UUID]]):
    """Text: on PostgreSQL of an array, on SQLite, which has none, JSON with identifiers as they are stored there."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Collection[UUID] | None, dialect: Dialect) -> str:
        """As the engine reads it. The driver's own way of spelling an array takes ten times as long."""
        ids = value or ()
        if dialect.name == "sqlite":
            return to_json([one.hex for one in ids]).decode()
        return f"{{{','.join([one.hex for one in ids])}}}"


class _AnyOf(ColumnElement[bool]):
    """`column` is one of the identifiers bound as `ids`."""

    inherit_cache = True
    type = Boolean()
    _traverse_internals = [  # noqa: RUF012 - how the library takes it
        ("column", InternalTraversal.dp_clauseelement),
        ("ids", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[UUID], ids: ColumnElement[Any]) -> None:
        self.column = column
        self.ids = ids

    def self_group(self, against: Any = None) -> "_AnyOf":
        """As it is: on SQLite `= 1` would be put behind it, and no index would be looked at."""
        return self


@compiles(_AnyOf)
def _compile(element: _AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    column, ids = (compiler.process(one, **options) for one in (element.column, element.ids))
    if compiler.dialect.name == "sqlite":
        return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 - both are made by the library
    return f"{column} = ANY(CAST({ids} AS UUID[]))"


def any_of(column: Any, ids: Collection[UUID] | None = None) -> ColumnElement[bool]:
    """That `column` is one of `ids`; without them one of those given as `ids` when the statement is executed."""
    bound = bindparam("ids", type_=_IdList()) if ids is None else bindparam(None, ids, type_=_IdList())
    return _AnyOf(column, bound)
