"""A row of the speed table: what it measures, what is asked of it, and what came out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from statistics import median
from typing import Any, Literal

from benchmarks.context import BenchContext

Judged = Literal["ratio", "product"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of a row, both numbers in the row's unit; `limit` is None where there is nothing to compare with.

    `details` is anything else worth keeping, as JSON takes it.
    """

    product: float
    limit: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """The product's number by the limit's."""
        return None if self.limit is None else self.product / self.limit


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took beside its number, such as processor time or memory. The less, the better.

    `read` finds it in the details of a run. Without a floor it is shown, and nothing is asked of it.
    """

    measures: str
    unit: str
    read: Callable[[Mapping[str, Any]], float]
    floor: float = inf
    aim: float = inf

    @property
    def is_judged(self) -> bool:
        """Whether anything is asked of it."""
        return self.floor < inf


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be run. `measure` does one run; data for all runs it gets by `BenchContext.keep`.

    `floor` and `aim` are of the ratio or of the product's own number, as `judged` says; an aim below the floor
    means that less is better. `options` are whole numbers with their defaults, changed by `--set NAME=NUMBER`.
    `all` runs a row unless it is `only_by_name`.
    """

    name: str
    measures: str
    unit: str
    floor: float
    aim: float
    measure: Callable[[BenchContext], Measurement]
    judged: Judged = "ratio"
    options: Mapping[str, int] = field(default_factory=dict)
    needs_postgres: bool = True
    cost: Cost | None = None
    only_by_name: bool = False

    def meets(self, wanted: float, value: float) -> bool:
        """Whether `value` is as good as `wanted`."""
        return value <= wanted if self.aim < self.floor else value >= wanted


@dataclass(frozen=True, slots=True)
class Result:
    """All runs of a row; its numbers are their medians."""

    row: Row
    runs: Sequence[Measurement]
    options: Mapping[str, int]

    @property
    def product(self) -> float:
        """The product's number."""
        return median(run.product for run in self.runs)

    @property
    def limit(self) -> float | None:
        """The limit's number."""
        known = [run.limit for run in self.runs if run.limit is not None]
        return median(known) if known else None

    @property
    def ratio(self) -> float | None:
        """The median of the runs' ratios: each compares two numbers taken at the same time."""
        known = [run.ratio for run in self.runs if run.ratio is not None]
        return median(known) if known else None

    @property
    def judged(self) -> float:
        """The number that floor and aim are of. Raises ValueError where the row gave no limit to compare with."""
        value = self.ratio if self.row.judged == "ratio" else self.product
        if value is None:
            raise ValueError(f"{self.row.name} is judged by its ratio, and measured no limit.")
        return value

    @property
    def cost(self) -> float | None:
        """The median of what the runs cost, where the row has a cost."""
        return median(self.row.cost.read(run.details) for run in self.runs) if self.row.cost else None

    @property
    def meets_floor(self) -> bool:
        """Whether the floor is met, by the cost too."""
        return self.row.meets(self.row.floor, self.judged) and self._costs_at_most("floor")

    @property
    def meets_aim(self) -> bool:
        """Whether the aim is met, by the cost too."""
        return self.row.meets(self.row.aim, self.judged) and self._costs_at_most("aim")

    def _costs_at_most(self, bound: Literal["floor", "aim"]) -> bool:
        return self.cost is None or self.cost <= getattr(self.row.cost, bound)
