"""From counts to a figure: its value, its interval and its further numbers. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt

LEAST_N = 30
"""Below this denominator a rate is shown without colour and without rank (rule 6.4)."""
_Z = 1.959963984540054  # 95 %, two sides
_PLACES = Decimal("0.000001")


def wilson_interval(numerator: Decimal, denominator: Decimal) -> tuple[Decimal, Decimal] | None:
    """The Wilson score interval (95 %) of a rate, from 0 to 1. None without a denominator (rule 6.4)."""
    n = float(denominator)
    if n == 0:
        return None
    p = float(numerator) / n
    square = _Z * _Z / n
    centre = (p + square / 2) / (1 + square)
    half = _Z / (1 + square) * sqrt(p * (1 - p) / n + square / (4 * n))
    low, high = max(centre - half, 0.0), min(centre + half, 1.0)
    return _rounded(0.0 if numerator == 0 else low), _rounded(1.0 if numerator == denominator else high)


def is_small(denominator: Decimal | None) -> bool:
    """True if a rate has too few facts for a colour or a rank (rule 6.4)."""
    return denominator is not None and denominator < LEAST_N


def divide(numerator: Decimal, denominator: Decimal | int, *, times: int = 1) -> Decimal | None:
    """`times` the quotient with six decimal places; None without a denominator."""
    if not denominator:
        return None
    return (numerator * times / Decimal(denominator)).quantize(_PLACES)


def _rounded(number: float) -> Decimal:
    return Decimal(number).quantize(_PLACES)


@dataclass(frozen=True, slots=True)
class Tally:
    """What the facts of one group add up to.

    `counted` facts are in the figure, and their numerators add up to `numerator`. `excluded` has the number of facts
    that are left out, by reason. `parts` are further sums by name.
    """

    counted: int = 0
    numerator: Decimal = Decimal(0)
    excluded: Mapping[str, int] | None = None
    parts: Mapping[str, int] | None = None

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.counted + other.counted,
            self.numerator + other.numerator,
            _add(self.excluded, other.excluded),
            _add(self.parts, other.parts),
        )


def _add(one: Mapping[str, int] | None, other: Mapping[str, int] | None) -> dict[str, int]:
    found = dict(one or {})
    for name, count in (other or {}).items():
        found[name] = found.get(name, 0) + count
    return found
