"""The complaints behind a figure, as lines of a table."""

from dataclasses import dataclass

from complaints.console.locale import Locale
from complaints.use_cases.figures.fact_rows import FigureFactRow


@dataclass(frozen=True, slots=True)
class FactLine:
    """A fact behind a figure: the number of its complaint, its local day, its kind and its value, as texts."""

    number: str
    day: str
    kind: str
    value: str


def fact_line(row: FigureFactRow, locale: Locale) -> FactLine:
    """The line of one fact."""
    value = f"{row.value.normalize():,f}"
    return FactLine(row.number, locale.day(row.on), locale.word("fact", row.kind), value)
