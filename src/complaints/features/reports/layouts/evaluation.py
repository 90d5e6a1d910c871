"""From a layout to its numbers. Pure: a function answers for the figures."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from complaints.features.reports.layouts.documents import (
    ComparedPeriod,
    LayoutColumn,
    LayoutRow,
    ReportLayout,
)
from complaints.features.reports.publishing.periods import ReportPeriod

Filters = Mapping[str, Sequence[str]]
AskFigure = Callable[[str, Filters, ReportPeriod], Decimal | None]
"""The value of a figure with filters in a period. None: there is nothing to compute it from."""
_PLACES = Decimal("0.00000001")


def evaluate_layout(
    layout: ReportLayout, period: ReportPeriod, ask: AskFigure
) -> list[dict[str, Decimal | None]]:
    """The number of each cell: for each row by the ids of the columns."""
    by_id = {column.id: column for column in layout.columns}
    return [
        {column.id: _Row(row, by_id, ask).value_of(column, period) for column in layout.columns}
        for row in layout.rows
    ]


class _Row:
    """Computes the cells of one row."""

    def __init__(self, row: LayoutRow, columns: Mapping[str, LayoutColumn], ask: AskFigure) -> None:
        self._row = row
        self._columns = columns
        self._ask = ask

    def value_of(self, column: LayoutColumn, period: ReportPeriod) -> Decimal | None:
        """The number of a cell in a period. None if a number that it needs is missing, or for a division by zero."""
        if column.figure is not None:
            return self._ask(column.figure, {**self._row.filters, **column.filters}, period)
        if column.growth_of is not None:
            return self._growth_of(self._columns[column.growth_of], column.against, period)
        values = [self.value_of(self._columns[name], period) for name in column.references()]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        if column.sum is not None:
            return sum(known, Decimal(0))
        if column.difference is not None:
            return known[0] - sum(known[1:], Decimal(0))
        return _divide(*known)

    def _growth_of(
        self, column: LayoutColumn, against: ComparedPeriod, period: ReportPeriod
    ) -> Decimal | None:
        other = period.before if against is ComparedPeriod.BEFORE else period.year_before
        now, then = self.value_of(column, period), self.value_of(column, other)
        if now is None or then is None:
            return None
        return _divide(now - then, then)


def _divide(above: Decimal, below: Decimal) -> Decimal | None:
    return (above / below).quantize(_PLACES) if below else None
