"""Conditions applied to shown objects in memory. Lists from the database give the same answers."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from complaints.tmf621.queries.patterns import Pattern
from complaints.tmf621.queries.query import Condition, Operator, Value
from complaints.use_cases.commands.field_types import parse_instant

_COMPARE: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: operator.eq,
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
}
_WHOLE = 10**18  # whole numbers below this are the same on every engine


def fits(shown: Mapping[str, Any], conditions: Iterable[Condition]) -> bool:
    """True if an object, as it is shown, fits all conditions. A member that is absent fits `ne` only."""
    return all(_fits_one(shown, condition) for condition in conditions)


def _fits_one(shown: Mapping[str, Any], condition: Condition) -> bool:
    found = [*_values_at(shown, condition.path)]
    if condition.operator is Operator.NE:
        return not any(_compare(one, Operator.EQ, value) for one in found for value in condition.values)
    return any(_compare(one, condition.operator, value) for one in found for value in condition.values)


def _values_at(shown: Any, path: Sequence[str]) -> Iterator[Any]:
    if not path:
        yield shown  # a list as a value fits nothing
    elif isinstance(shown, list | tuple):
        for one in shown:
            yield from _values_at(one, path)
    elif isinstance(shown, Mapping) and path[0] in shown:
        yield from _values_at(shown[path[0]], path[1:])


def _compare(found: Any, by: Operator, asked: Value) -> bool:
    """A value of another kind than the asked one never fits."""
    if isinstance(asked, Pattern):
        text = _as_text(found)
        return text is not None and asked.fits(text)
    if isinstance(asked, datetime):
        try:
            return _COMPARE[by](parse_instant(found), asked)
        except ValueError:
            return False
    if isinstance(asked, bool):
        return found is asked
    if isinstance(asked, float):
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        return is_number and _COMPARE[by](found, asked)
    return _COMPARE[by](_as_text(found), asked)


def _as_text(found: Any) -> str | None:
    """A text, or a whole number or truth value as JSON writes it. None: any other value."""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int):
        return str(found) if abs(found) < _WHOLE else None
    return found if isinstance(found, str) else None
