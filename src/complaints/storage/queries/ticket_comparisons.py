"""How a member of trouble tickets is compared with values, as a condition of SQL on both engines."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Text, or_, type_coerce

Scalar = str | float | datetime


class CompareBy(StrEnum):
    """A way to compare. `NE` is the opposite of `EQ`. Patterns of `LIKE` have `%`, `_` and backslashes as escapes."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    LIKE = "like"


@dataclass(frozen=True, slots=True)
class TicketComparison:
    """A member of tickets, by its dotted path, compared with values of which one must fit. For `NE` none may."""

    member: str
    by: CompareBy
    values: tuple[Scalar, ...]


class Comparing:
    """A way to compare, and the values to compare with."""

    def __init__(self, on_sqlite: bool, by: CompareBy, values: Sequence[Scalar]) -> None:
        self._on_sqlite = on_sqlite
        self.by = by
        self._values = values

    def __call__(self, found: ColumnElement[Any]) -> ColumnElement[bool]:
        """The condition that an expression fits one of the values."""
        if self.by is CompareBy.EQ:
            return found == self._values[0] if len(self._values) == 1 else found.in_(self._values)
        if self.by is CompareBy.LIKE:
            return or_(*(self._like(found, str(pattern)) for pattern in self._values))
        return or_(*(_COMPARE[self.by](found, value) for value in self._values))

    def _like(self, found: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
        """LIKE of SQLite does not look at case, so GLOB takes its place."""
        if not self._on_sqlite:
            return type_coerce(found, Text).like(pattern, escape="\\")
        fits: ColumnElement[bool] = found.op("GLOB", is_comparison=True)(_as_glob(pattern))
        return fits

    def texts(self) -> list[str]:
        """The asked texts; none for other ways than `EQ`."""
        return [str(value) for value in self._values] if self.by is CompareBy.EQ else []

    def holds(self, word: str) -> bool:
        """True if a word of the code fits."""
        if self.by is CompareBy.LIKE:
            return any(_fits_like(word, str(pattern)) for pattern in self._values)
        return word in self._values


_COMPARE: Mapping[CompareBy, Callable[[Any, Any], ColumnElement[bool]]] = {
    CompareBy.GT: lambda found, value: found > value,
    CompareBy.GTE: lambda found, value: found >= value,
    CompareBy.LT: lambda found, value: found < value,
    CompareBy.LTE: lambda found, value: found <= value,
}


def _like_parts(pattern: str) -> list[tuple[str, bool]]:
    """The signs of a pattern, each with True if it stands for itself."""
    parts, signs = list[tuple[str, bool]](), iter(pattern)
    for sign in signs:
        parts.append((next(signs), True) if sign == "\\" else (sign, sign not in "%_"))
    return parts


def _as_glob(pattern: str) -> str:
    wild = {"%": "*", "_": "?"}
    return "".join(
        (f"[{sign}]" if sign in "*?[" else sign) if is_literal else wild[sign]
        for sign, is_literal in _like_parts(pattern)
    )


def _fits_like(text: str, pattern: str) -> bool:
    wild = {"%": ".*", "_": "."}
    expression = "".join(
        re.escape(sign) if is_literal else wild[sign] for sign, is_literal in _like_parts(pattern)
    )
    return re.fullmatch(expression, text, re.DOTALL) is not None
