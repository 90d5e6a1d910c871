"""A figure as a table: CSV, and a workbook with the same numbers as JSON."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from complaints.domain.figures.answers import FigureAnswer, FigureGroup
from complaints.domain.figures.catalogue import load_figure
from complaints.features.reports.schemas import number_json
from complaints.use_cases.table_files.cells import text_of
from complaints.use_cases.table_files.csv_text import write_lines
from complaints.use_cases.table_files.workbook import temporary_workbook

_FIXED = ("row", "key", "value", "numerator", "denominator", "interval_low", "interval_high")


def write_csv(answer: FigureAnswer) -> bytes:
    """The groups and the total as CSV. `row` says which of both a line is."""
    header, *rows = _table(answer)
    return write_lines([header, *([text_of(cell) for cell in row] for row in rows)]).encode()


def write_workbook(answer: FigureAnswer) -> bytes:
    """The groups and the total as a workbook, and a sheet that says what they are. Raises Unavailable."""
    header, *rows = _table(answer)
    with temporary_workbook() as book:
        book.add_sheet("figure 指标", header)
        book.write_rows(rows)
        book.add_sheet("about 说明", ["name 名称", "value 值"])
        book.write_rows(_about(answer))
        book.close()
        return book.path.read_bytes()


def _table(answer: FigureAnswer) -> list[list[Any]]:
    lines = [*(("group", group) for group in answer.groups), ("total", answer.total)]
    reasons = _names(one.reason for _, group in lines for one in group.excluded)
    parts = _names(name for _, group in lines for name in group.parts)
    header = [*_FIXED, *(f"excluded.{one}" for one in reasons), *(f"parts.{one}" for one in parts)]
    return [header, *(_line(kind, group, reasons, parts) for kind, group in lines)]


def _names(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found))


def _line(kind: str, group: FigureGroup, reasons: Sequence[str], parts: Sequence[str]) -> list[Any]:
    excluded = {one.reason: one.count for one in group.excluded}
    numbers: list[Decimal | None] = [group.value, group.numerator, group.denominator]
    numbers += group.interval or (None, None)
    return [
        kind,
        group.key,
        *(number_json(number) for number in numbers),
        *(excluded.get(reason, 0) for reason in reasons),
        *(number_json(group.parts.get(name)) for name in parts),
    ]


def _about(answer: FigureAnswer) -> list[tuple[str, Any]]:
    request, figure = answer.request, load_figure(answer.request.figure)
    filters = "; ".join(f"{name}={', '.join(values)}" for name, values in request.filters.items())
    return [
        ("figure 指标", f"{figure.title['zh']} {figure.title['en']}"),
        ("formula 公式", answer.formula["zh"]),
        ("formula (en)", answer.formula["en"]),
        ("formula_version 公式版本", answer.formula_version),
        ("unit 单位", answer.unit),
        ("from 起", request.from_on.isoformat()),
        ("to 止(不含)", request.to_on.isoformat()),
        ("zone 时区", answer.zone),
        ("group_by 分组", request.group_by),
        ("filters 筛选", filters or None),
        ("as_of 数据截至", answer.as_of),
    ]
