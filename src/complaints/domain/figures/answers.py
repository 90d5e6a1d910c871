"""A figure that was asked for, and its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum


class GroupBy(StrEnum):
    """The member of a fact by which an answer is split. Days, weeks and months are local ones of the policy's zone."""

    TEAM = "team"
    DEPARTMENT = "department"
    PERSON = "person"
    CATEGORY = "category"
    CAUSE = "cause"
    NATURE = "nature"
    CHANNEL = "channel"
    SOURCE = "source"
    REGION = "region"
    PRIORITY = "priority"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class FigureRequest:
    """A figure of the local days from `from_on` up to and without `to_on`. `filters` are members with equal values."""

    figure: str
    from_on: date
    to_on: date
    group_by: GroupBy | None = None
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """How many facts a figure leaves out, and why: a code such as `imported_history`."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class FigureGroup:
    """The figure of one group. `key` None: the facts that belong to no group.

    `value` None: there is nothing to compute it from. `denominator` None: the figure counts or sums, it is no rate.
    `interval` is the Wilson interval (95 %) of a rate, from 0 to 1. `parts` are further numbers by name, such as the
    `p80` of a median or the ages of a backlog; None: there is nothing to compute it from.
    """

    key: str | None
    value: Decimal | None
    numerator: Decimal
    denominator: Decimal | None = None
    excluded: tuple[Exclusion, ...] = ()
    interval: tuple[Decimal, Decimal] | None = None
    parts: Mapping[str, Decimal | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FigureAnswer:
    """The answer to a request. `zone` is an IANA name. `as_of` is the cursor of the feed up to which facts are known.

    `unit` is that of the values: `complaints`, `share`, `seconds`, a currency.

    `groups` are in the order of their keys, the group of no key last. Numerators of the groups sum to the total.
    """

    request: FigureRequest
    formula: Mapping[str, str]
    formula_version: int
    zone: str
    groups: tuple[FigureGroup, ...]
    total: FigureGroup
    as_of: str
    unit: str | None = None
