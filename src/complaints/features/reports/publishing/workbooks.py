"""The workbook of a published report: a sheet with facts, one for each table, and one for the changes."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from complaints.api.problems.languages import Language
from complaints.domain.time.zones import zone_of
from complaints.features.reports.publishing.snapshots import (
    NumberChange,
    ReportRow,
    ReportSnapshot,
    ReportTable,
)
from complaints.features.reports.publishing.tables import PublishedReport
from complaints.features.reports.publishing.wording import Writer
from complaints.use_cases.table_files.workbook import Workbook, temporary_workbook

_LONGEST_NAME = 31
_NOT_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))


def write_workbook(report: PublishedReport, language: Language) -> bytes:
    """The workbook in one language, with the numbers as they are in the snapshot. Raises Unavailable."""
    snapshot, writer = ReportSnapshot.model_validate(report.snapshot), Writer(language)
    with temporary_workbook(zone=zone_of(snapshot.zone).info) as book:
        _write_facts(book, report, snapshot, writer)
        for number, table in enumerate(snapshot.tables, start=1):
            _write_table(book, table, writer, number)
        if report.changes:
            _write_changes(book, [NumberChange.model_validate(one) for one in report.changes], writer)
        book.close()
        return book.path.read_bytes()


def sheet_name(number: int, title: str) -> str:
    """The name of a sheet: its number, and as much of the title as a name may have."""
    return f"{number} {title.translate(_NOT_IN_NAMES)}"[:_LONGEST_NAME].strip()


def _write_facts(book: Workbook, report: PublishedReport, snapshot: ReportSnapshot, writer: Writer) -> None:
    words, facts = writer.texts["workbook_texts"], writer.texts["facts"]
    book.add_sheet(words["about"], [words["name"], writer.texts["tables"]["value"]])
    rows: list[tuple[str, str | int | datetime | None]] = [
        (writer.texts["title"], writer.period(snapshot.period)),
        (facts["period"], writer.days(snapshot)),
        (facts["coverage"], writer.coverage(snapshot)),
        (facts["version"], report.version),
        (facts["published"], report.published_at),
        (facts["zone"], snapshot.zone),
        (facts["as_of"], snapshot.as_of),
        (writer.texts["restated"]["reason"], report.reason),
    ]
    missing = [
        (f"{writer.texts['missing']['heading']}: {one.titles.get(writer.language, one.figure)}", one.reason)
        for one in snapshot.missing
    ]
    book.write_rows([*(row for row in rows if row[1] is not None), *missing])


def _write_table(book: Workbook, table: ReportTable, writer: Writer, number: int) -> None:
    """The rows of a table, then the total and the total of the period before, then the formula."""
    words = writer.texts["workbook_texts"]
    group = writer.texts["groups"][table.group_by] if table.group_by else words["group"]
    parts = list(dict.fromkeys(name for row in (*table.rows, table.total) for name in row.parts))
    titles = [group, words["key"], *map(writer.member, ("value", "numerator", "denominator"))]
    titles += [words["low"], words["high"], words["left_out"], *map(writer.part_name, parts)]
    book.add_sheet(sheet_name(number, writer.title(table)), titles)
    book.write_rows(_cells_of(row, writer.name(row.names, row.key), parts) for row in table.rows)
    book.write_rows([_cells_of(table.total, writer.texts["total"], parts)])
    if table.before is not None:
        book.write_rows([_cells_of(table.before, words["period_before"], parts)])
    formula = table.formula.get(writer.language, "")
    version = writer.texts["formulas"]["version"].format(version=table.formula_version)
    book.write_rows([[], [words["formula"], f"{formula} ({version})"]])


def _cells_of(row: ReportRow, name: str, parts: Sequence[str]) -> Sequence[Any]:
    low, high = row.interval or (None, None)
    left_out = sum(one.count for one in row.excluded)
    numbers = [row.value, row.numerator, row.denominator, low, high, left_out or None]
    return [name, row.key, *numbers, *(row.parts.get(part) for part in parts)]


def _write_changes(book: Workbook, changes: Sequence[NumberChange], writer: Writer) -> None:
    words, restated = writer.texts["workbook_texts"], writer.texts["restated"]
    header = [words["figure"], words["group"], words["key"], words["part"], words["member"]]
    book.add_sheet(words["changes"], [*header, restated["old"], restated["new"]])
    book.write_rows(_change_cells(changes, writer))


def _change_cells(
    changes: Sequence[NumberChange], writer: Writer
) -> Iterator[Sequence[str | Decimal | None]]:
    for change in changes:
        name = writer.name(change.names, change.key) if change.part == "row" else None
        member = writer.member(change.member)
        yield [writer.title(change), name, change.key, change.part, member, change.old, change.new]
