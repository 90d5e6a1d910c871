"""The column types and constraint names that all tables share.

A page of complaints has thousands of values. So each type reads a value by one call of a function in C, if it can.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, SafeUUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Enum,
    Integer,
    MetaData,
    SmallInteger,
    Uuid,
)
from sqlalchemy.types import TypeDecorator

from complaints.domain.vocabulary import Priority


def new_metadata() -> MetaData:
    """An empty set of tables: for the core, and for each annex. Constraints and indexes are named alike in all."""
    return MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s__%(column_0_N_name)s",
            "uq": "uq_%(table_name)s__%(column_0_N_name)s",
            "ck": "ck_%(table_name)s__%(constraint_name)s",
            "fk": "fk_%(table_name)s__%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


metadata = new_metadata()

Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. It may be given in any zone, and is stored and returned in UTC. A naive one raises ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC. SQLite has no zones, so it stores the naive time in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant needs a zone: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Make the text of SQLite an instant in UTC. psycopg returns one, as the zone of each connection is UTC."""
        return _utc_of_text if dialect.name == "sqlite" else None


def _utc_of_text(text: str | None) -> datetime | None:
    # `replace(tzinfo=UTC)` would take five times as long.
    return None if text is None else datetime.fromisoformat(text + "+00:00")


_BY_RANK = tuple(Priority)


class TextUuid(Uuid[UUID]):
    """An id on SQLite, which keeps it as text. A page and a batch have thousands of them.

    The constructor of UUID takes any form of an id, and so takes four times as long.
    """

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Make an id of 32 hexadecimal digits."""
        return _uuid_of_text


_UNKNOWN = SafeUUID.unknown


def _uuid_of_text(text: str | None) -> UUID | None:
    if text is None:
        return None
    made = object.__new__(UUID)
    object.__setattr__(made, "int", int(text, 16))
    object.__setattr__(made, "is_safe", _UNKNOWN)
    return made


class PriorityRank(TypeDecorator[Priority]):
    """A priority, stored as its rank (1 = urgent), so that it sorts."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: Priority | None, dialect: Dialect) -> int | None:
        """The rank, from 1 for urgent."""
        return None if value is None else _BY_RANK.index(value) + 1

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Find the priority of a rank."""
        return _PRIORITIES.__getitem__


_PRIORITIES: Mapping[int | None, Priority | None] = {None: None, **dict(enumerate(_BY_RANK, start=1))}


class _OneOf(Enum):
    """SQLAlchemy's Enum, but a value is read by one look into a dictionary."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Find the member of a value. It raises KeyError for a text that the database should have refused."""
        return {None: None, **{member.value: member for member in self.enum_class or ()}}.__getitem__


def one_of(kind: type[StrEnum], *, checked: bool = True) -> Enum:
    """A text column for the values of `kind`. If it is checked, the database too allows no other value."""
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__).lstrip("_")
    return _OneOf(
        kind, native_enum=False, length=40, create_constraint=checked, name=name, values_callable=_values
    )


class _Known(dict[Any, Any]):
    """The members of an enumeration by value. Any other text stands for itself."""

    def __missing__(self, text: str) -> str:
        return text


class _OneOfRegistered(_OneOf):
    """As `_OneOf`, but a text that a policy or an annex declares is read as it is."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Find the member of a value, or keep the text."""
        return _Known({None: None, **{member.value: member for member in self.enum_class or ()}}).__getitem__


def one_of_registered(kind: type[StrEnum]) -> Enum:
    """A text column for the values of `kind` and for those that policies and annexes declare. Nothing is checked."""
    return _OneOfRegistered(
        kind, native_enum=False, length=40, create_constraint=False, values_callable=_values
    )


def one_subject() -> CheckConstraint:
    """The CHECK that a row belongs to a complaint or to another subject, never to both."""
    return CheckConstraint("(complaint_id IS NULL) <> (subject_id IS NULL)", name="one_subject")


def _values(kind: Any) -> list[str]:
    return [member.value for member in kind]
