"""What the page of a report shows: each table with its chart, in one language. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from complaints.domain.figures.evaluation import LEAST_N
from complaints.features.reports.publishing.snapshots import (
    CALENDAR_GROUPS,
    NumberChange,
    ReportRow,
    ReportSnapshot,
    ReportTable,
)
from complaints.features.reports.publishing.wording import Writer
from complaints.use_cases.charts.bars import Bar, draw_bars
from complaints.use_cases.charts.drawing import ChartWords
from complaints.use_cases.charts.pareto import ParetoPart, draw_pareto
from complaints.use_cases.charts.stacked import StackedBar, draw_stacked
from complaints.use_cases.charts.timeline import TimePoint, draw_timeline

_MOST_BARS = 25
"""A chart of more groups would be longer than a page: then the table alone has them."""


@dataclass(frozen=True, slots=True)
class RowView:
    """A row of a table as text. `interval` is empty for a firm value; `parts` are its further numbers."""

    name: str
    parts: str
    value: str
    cases: str
    interval: str
    rank: str


@dataclass(frozen=True, slots=True)
class TableView:
    """A table with its chart. `chart` is SVG; None: there is nothing to draw. `notes` stand below the table.

    `form` is `times` if the rows are short and many, and `rows` otherwise.
    """

    title: str
    group: str
    chart: Markup | None
    rows: tuple[RowView, ...]
    total: RowView
    has_cases: bool
    has_ranks: bool
    notes: tuple[str, ...]
    form: str


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """A figure in total, in this period and in the one before."""

    title: str
    now: str
    cases: str
    parts: str
    interval: str
    before: str
    change: str
    share: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A number that a restatement has changed."""

    what: str
    is_total: bool
    old: str
    new: str


def view_tables(snapshot: ReportSnapshot, writer: Writer) -> list[TableView]:
    """The tables that are split by something, in the order of the report."""
    split = [table for table in snapshot.tables if table.group_by is not None]
    return [view_table(table, writer, number) for number, table in enumerate(split, start=1)]


def view_table(table: ReportTable, writer: Writer, number: int = 1) -> TableView:
    """A table that is split by something. `number` tells its chart from the others of the page."""
    words = writer.texts["tables"]
    ranks = {row.key: str(place) for place, row in enumerate(table.ranked(), start=1)}
    rows = _in_order(table)
    is_few = any(not row.is_firm and row.value is not None for row in rows)
    notes = [writer.left_out(table.total), words["note_few"].format(least=LEAST_N) if is_few else ""]
    assert table.group_by is not None  # the caller chose such tables
    return TableView(
        title=writer.title(table),
        group=writer.texts["groups"][table.group_by],
        chart=_draw_safely(table, rows, writer, f"chart{number}") if _is_drawn(rows) else None,
        rows=tuple(_view_row(table, row, writer, ranks.get(row.key, "")) for row in rows),
        total=_view_row(table, table.total, writer, ""),
        has_cases=bool(writer.cases(table, table.total)),
        has_ranks=bool(ranks),
        notes=tuple(filter(None, notes)),
        form="times" if table.group_by in CALENDAR_GROUPS else "rows",
    )


def _is_drawn(rows: Sequence[ReportRow]) -> bool:
    return any(row.value for row in rows)


def _in_order(table: ReportTable) -> list[ReportRow]:
    """Times in their order. Otherwise ranked rows first, then the others; without ranks, the largest first."""
    if table.group_by in CALENDAR_GROUPS:
        return table.rows
    if ranked := table.ranked():
        return [*ranked, *(row for row in table.rows if row not in ranked)]
    named = [row for row in table.rows if row.key is not None]
    if table.is_rate or table.figure == PARETO_FIGURE:
        return table.rows
    ordered = sorted(named, key=lambda row: -(row.value or 0))
    return [*ordered, *(row for row in table.rows if row.key is None)]


def _view_row(table: ReportTable, row: ReportRow, writer: Writer, rank: str) -> RowView:
    shows_interval = row.value is not None and not row.is_firm
    return RowView(
        name=writer.name(row.names, row.key),
        parts=writer.parts(table, row),
        value=writer.value(table, row.value),
        cases=writer.cases(table, row),
        interval=writer.interval(row) if shows_interval else "",
        rank=rank or "–",
    )


def _draw_safely(table: ReportTable, rows: Sequence[ReportRow], writer: Writer, name: str) -> Markup:
    """The chart as a part of a page. Its texts are escaped where it is drawn."""
    return Markup(_draw(table, rows, writer, name))  # noqa: S704


def _draw(table: ReportTable, rows: Sequence[ReportRow], writer: Writer, name: str) -> str:
    """The chart that fits the groups of a table."""
    drawn = [row for row in rows if row.value is not None]
    if table.group_by in CALENDAR_GROUPS:
        return _draw_times(table, drawn, writer, name)
    shown = drawn[:_MOST_BARS]
    if table.figure == PARETO_FIGURE:
        return _draw_shares(table, shown, writer, name)
    if all(row.is_partition for row in shown):
        return _draw_parts(table, shown, writer, name)
    key = "bars" if table.is_rate else "plain_bars"
    text = writer.texts["tables"][key].format(least=LEAST_N)
    bars = [_bar_of(table, row, writer) for row in shown]
    largest = Decimal(1) if table.is_rate else None
    return draw_bars(ChartWords(name, writer.title(table), text), bars, largest=largest)


def _draw_times(table: ReportTable, rows: Sequence[ReportRow], writer: Writer, name: str) -> str:
    points = [TimePoint(row.key, row.value, writer.value(table, row.value)) for row in rows if row.key]
    words = ChartWords(name, writer.title(table), writer.texts["tables"]["line"])
    return draw_timeline(words, points, lambda value: writer.value(table, value))


def _draw_shares(table: ReportTable, rows: Sequence[ReportRow], writer: Writer, name: str) -> str:
    parts = [ParetoPart(writer.name(row.names, row.key), row.value or Decimal(0)) for row in rows]
    words = ChartWords(name, writer.title(table), writer.texts["tables"]["pareto"])
    return draw_pareto(
        words,
        [part for part in parts if part.value],
        lambda value, share: writer.texts["share"].format(
            value=writer.value(table, value), share=writer.percent(share)
        ),
    )


def _draw_parts(table: ReportTable, rows: Sequence[ReportRow], writer: Writer, name: str) -> str:
    names = list(rows[0].parts)
    bars = [
        StackedBar(
            writer.name(row.names, row.key), tuple(row.parts.get(part) or Decimal(0) for part in names)
        )
        for row in rows
    ]
    words = ChartWords(name, writer.title(table), writer.texts["tables"]["stacked"])
    return draw_stacked(words, [writer.part_name(part) for part in names], bars, lambda value: f"{value:f}")


PARETO_FIGURE = "weak_points"


def _bar_of(table: ReportTable, row: ReportRow, writer: Writer) -> Bar:
    return Bar(
        label=writer.name(row.names, row.key),
        value=row.value,
        written=writer.value(table, row.value),
        firm=row.is_firm,
        interval=None if row.is_firm else row.interval,
    )


def view_overview(snapshot: ReportSnapshot, writer: Writer) -> list[OverviewRow]:
    """Every figure in total, once."""
    first: dict[str, ReportTable] = {}
    for table in snapshot.tables:
        if table.figure != PARETO_FIGURE:
            first.setdefault(table.figure, table)
    return [view_total(table, writer) for table in first.values()]


def view_total(table: ReportTable, writer: Writer) -> OverviewRow:
    """A figure in total."""
    row = _view_row(table, table.total, writer, "")
    change, share = writer.change(table)
    return OverviewRow(
        title=table.titles.get(writer.language, table.figure),
        now=row.value,
        cases=row.cases,
        parts=row.parts,
        interval=row.interval,
        before=writer.value(table, table.before.value) if table.before else "–",
        change=change,
        share=share,
    )


def view_changes(
    changes: Sequence[NumberChange], snapshot: ReportSnapshot, writer: Writer
) -> list[ChangeView]:
    """Each number that a restatement has changed."""
    tables = {(table.figure, table.group_by): table for table in snapshot.tables}
    return [_view_change(change, tables.get((change.figure, change.group_by)), writer) for change in changes]


def _view_change(change: NumberChange, table: ReportTable | None, writer: Writer) -> ChangeView:
    """A changed number. Numbers that look alike when they are rounded are written as they are."""
    numbers = (change.old, change.new)
    old, new = (_write_changed(change, number, table, writer) for number in numbers)
    if old == new:
        old, new = (_write_changed(change, number, None, writer) for number in numbers)
    is_total = change.part == "total" and change.member == "value"
    return ChangeView(what=_name_change(change, writer), is_total=is_total, old=old, new=new)


def _name_change(change: NumberChange, writer: Writer) -> str:
    words = writer.texts["restated"]
    title, member = writer.title(change), writer.member(change.member)
    if change.part == "row":
        group = writer.name(change.names, change.key)
        return str(words["of_group"].format(title=title, group=group, member=member))
    figure = change.titles.get(writer.language, change.figure)
    if change.part == "total":
        return str(words["named"].format(title=figure, member=member))
    return str(words["of_group"].format(title=figure, group=words["before"], member=member))


def _write_changed(
    change: NumberChange, number: Decimal | None, table: ReportTable | None, writer: Writer
) -> str:
    if number is None:
        return "–"
    if change.member == "value" and table is not None:
        return writer.value(table, number)
    return f"{number.normalize():f}"


def list_formulas(snapshot: ReportSnapshot, writer: Writer) -> list[tuple[str, str, int]]:
    """The title, the formula in words and its version, once for each figure."""
    found = {table.figure: table for table in snapshot.tables}
    return [
        (
            table.titles.get(writer.language, table.figure),
            table.formula.get(writer.language, ""),
            table.formula_version,
        )
        for table in found.values()
    ]
