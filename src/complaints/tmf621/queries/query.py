"""A query as a value: the fields, the page and the order that a caller asks for, and the conditions. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from complaints.tmf621.queries.patterns import Pattern

Value = str | float | bool | datetime | Pattern
"""A value to compare with: as the kind of the member says, or a pattern. Instants are in UTC."""


class Operator(StrEnum):
    """A way to compare. `ne` is the opposite of `eq`: no value of the member is equal to any given value."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    REGEX = "regex"


class MemberType(StrEnum):
    """The kind of the values of a member."""

    TEXT = "text"
    INSTANT = "instant"
    NUMBER = "number"
    FLAG = "flag"


OPERATORS: Mapping[MemberType, tuple[Operator, ...]] = {
    MemberType.TEXT: (Operator.EQ, Operator.NE, Operator.REGEX),
    MemberType.INSTANT: tuple(one for one in Operator if one is not Operator.REGEX),
    MemberType.NUMBER: tuple(one for one in Operator if one is not Operator.REGEX),
    MemberType.FLAG: (Operator.EQ, Operator.NE),
}


@dataclass(frozen=True, slots=True)
class Member:
    """A member by which a list can be filtered. `words` are its only possible values; none: any text.

    `path` is its place in the words of version 5, with dots; "": the place is as callers name it.
    """

    kind: MemberType = MemberType.TEXT
    words: tuple[str, ...] = ()
    path: str = ""


TEXT, INSTANT = Member(), Member(MemberType.INSTANT)
NUMBER, FLAG = Member(MemberType.NUMBER), Member(MemberType.FLAG)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a member. `path` has the names from the outer to the inner member.

    A member in a list fits if any element of the list fits. Of several `values` one must fit (for `ne`: none).
    `parameter` is the name of the query parameter, for refusals.
    """

    path: tuple[str, ...]
    operator: Operator
    values: tuple[Value, ...]
    parameter: str

    @property
    def name(self) -> str:
        """The path with dots between the names."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class SortBy:
    """One key of an order: the name of a member, and its direction."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Grammar:
    """The queries that a list understands: its members to filter by, by dotted path, and to sort by.

    `has_cursors`: it takes `before` and `after`; `has_filter`: it takes `filter`.
    """

    members: Mapping[str, Member]
    sorts: tuple[str, ...] = ()
    has_cursors: bool = True
    has_filter: bool = True

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that are no conditions."""
        asked = {"sort": bool(self.sorts), "before": self.has_cursors, "after": self.has_cursors}
        asked["filter"] = self.has_filter
        return ("fields", "offset", "limit", *(name for name, is_known in asked.items() if is_known))


@dataclass(frozen=True, slots=True)
class Query:
    """A query. `fields` are names of members at the top; None: all. `offset` None: it was not given.

    `before` and `after` are cursors as they were sent.
    """

    fields: tuple[str, ...] | None = None
    offset: int | None = None
    limit: int = 20
    before: str | None = None
    after: str | None = None
    sort: tuple[SortBy, ...] = ()
    conditions: tuple[Condition, ...] = field(default=())
