"""The catalogue of figures: each with its title and its formula in words, in both languages."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from complaints.domain.errors import NotFound, ask_if_meant, clip
from complaints.domain.figures.answers import GroupBy
from complaints.domain.figures.facts import AMOUNT_UNIT


class ValueKind(StrEnum):
    """How the value of a figure comes from its facts.

    `rate`: the numerator over the denominator. `count` and `sum`: the numerator. `median`: the middle of the values of
    the facts. `net`: the numerator over the denominator, in percent, from -100 to 100. `per`: the numerator for so many
    services or users.
    """

    RATE = "rate"
    COUNT = "count"
    SUM = "sum"
    MEDIAN = "median"
    NET = "net"
    PER = "per"


class Better(StrEnum):
    """Which values are better, for colours and for ranks."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Measure(StrEnum):
    """What complaints are set against: the services in use, or the users."""

    SERVICES = "services"
    USERS = "users"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure. `title` and `formula` are by language: `en`, `zh`. A new formula has a new `version`.

    `group_by` is how the figure is split unless the caller says otherwise. A figure with a `measure` is for every `per`
    of it.
    """

    name: str
    title: Mapping[str, str]
    formula: Mapping[str, str]
    version: int
    kind: ValueKind
    unit: str
    better: Better
    group_by: GroupBy | None = None
    measure: Measure | None = None
    per: int = 1
    scale: Decimal = Decimal(1)
    """The facts count in this unit: microseconds for times, and the smallest amount for money."""

    @property
    def has_denominator(self) -> bool:
        """True if facts stand below the line too. The services or users of a `per` are no facts."""
        return self.kind in (ValueKind.RATE, ValueKind.NET)


_MILLIONTH = Decimal("0.000001")
_SCALES = {"seconds": _MILLIONTH, "breaches": _MILLIONTH, "currency": AMOUNT_UNIT}


def _read(name: str, written: Mapping[str, Any]) -> Figure:
    return Figure(
        name=name,
        title={"en": written["title_en"], "zh": written["title_zh"]},
        formula={"en": written["formula_en"], "zh": written["formula_zh"]},
        version=written["version"],
        kind=ValueKind(written["kind"]),
        unit=written["unit"],
        better=Better(written["better"]),
        group_by=GroupBy(written["group_by"]) if "group_by" in written else None,
        measure=Measure(written["measure"]) if "measure" in written else None,
        per=written.get("per", 1),
        scale=_SCALES.get(written["unit"], Decimal(1)),
    )


_WRITTEN = tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
FIGURES: Mapping[str, Figure] = {name: _read(name, written) for name, written in _WRITTEN.items()}


def load_figure(name: str) -> Figure:
    """The figure with this name. Raises NotFound."""
    found = FIGURES.get(name)
    if found is None:
        hint = ask_if_meant(name, FIGURES)
        raise NotFound(f"There is no figure {clip(name, 100)!r}" + (f": {hint}" if hint else "."))
    return found
