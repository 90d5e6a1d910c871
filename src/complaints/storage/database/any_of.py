"""The condition that an id is one of many.

All ids are one bound value, so the statement has the same text for any number of them and stays prepared.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Boolean, ColumnElement, Dialect, Text, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal


class _IdList(TypeDecorator[Collection[UUID]]):
    """Ids as one text: an array on PostgreSQL; on SQLite, which has no arrays, JSON of the ids as it stores them."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Collection[UUID] | None, dialect: Dialect) -> str:
        """Spell the ids for the database. psycopg's own way to send an array takes ten times as long."""
        ids = value or ()
        if dialect.name == "sqlite":
            return to_json([item.hex for item in ids]).decode()
        return f"{{{','.join([item.hex for item in ids])}}}"


class _AnyOf(ColumnElement[bool]):
    """`column` is one of the ids bound as `ids`."""

    inherit_cache = True
    type = Boolean()
    _traverse_internals = [  # noqa: RUF012 - SQLAlchemy reads this attribute
        ("column", InternalTraversal.dp_clauseelement),
        ("ids", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[UUID], ids: ColumnElement[Any]) -> None:
        self.column = column
        self.ids = ids

    def self_group(self, against: Any = None) -> "_AnyOf":
        """Unchanged. SQLAlchemy would append `= 1` on SQLite, and the condition could not use an index."""
        return self


@compiles(_AnyOf)
def _compile(element: _AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.column, **options)
    ids = compiler.process(element.ids, **options)
    if compiler.dialect.name == "sqlite":
        return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 - SQLAlchemy makes both
    return f"{column} = ANY(CAST({ids} AS UUID[]))"


def any_of(column: Any, ids: Collection[UUID] | None = None) -> ColumnElement[bool]:
    """The condition that `column` is one of `ids`.

    Without `ids`, the value of the parameter `ids` counts when the statement is executed.
    """
    bound = bindparam("ids", type_=_IdList()) if ids is None else bindparam(None, ids, type_=_IdList())
    return _AnyOf(column, bound)
