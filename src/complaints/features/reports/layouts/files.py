"""The table of a layout as a page and as a workbook. The workbook has the rows and columns of the document."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from starlette.responses import HTMLResponse

from complaints.api.problems.languages import Language
from complaints.features.reports.layouts.documents import CellForm, LayoutColumn, LayoutTitles
from complaints.features.reports.layouts.use_cases import LayoutTable
from complaints.features.reports.pages import print_page
from complaints.features.reports.publishing.wording import TEXTS, Writer, write_decimal
from complaints.use_cases.table_files.workbook import temporary_workbook

NO_NUMBER = "–"


def title_in(titles: LayoutTitles, language: Language) -> str:
    """The title in a language."""
    return titles.zh if language is Language.CHINESE else titles.en


def write_cell(column: LayoutColumn, value: Decimal | None, language: Language) -> str:
    """A number as the document wants it shown."""
    if value is None:
        return NO_NUMBER
    if column.form is CellForm.NUMBER:
        return write_decimal(value, column.places)
    size = write_decimal(value * 100, column.places)
    return str(TEXTS[language]["percent"].format(number=size))


def round_cell(column: LayoutColumn, value: Decimal | None) -> Decimal | None:
    """A number with the decimal places of the document. A percentage has two more, as it is a share."""
    if value is None:
        return None
    places = column.places + (2 if column.form is CellForm.PERCENT else 0)
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def print_layout(table: LayoutTable, language: Language) -> HTMLResponse:
    """The page. Each row of the document is a table of its own, so that it fits on paper and on a phone."""
    columns = table.layout.columns
    return print_page(
        "layout.html",
        language,
        query=f"period={table.period.code}&",
        title=title_in(table.layout.titles, language),
        period=Writer(language).period(table.period.code),
        is_example=table.layout.example,
        source=table.layout.source,
        as_of=table.as_of,
        rows=[
            (
                title_in(row.titles, language),
                [
                    (title_in(column.titles, language), write_cell(column, cells[column.id], language))
                    for column in columns
                ],
            )
            for row, cells in zip(table.layout.rows, table.cells, strict=True)
        ],
    )


def write_layout_workbook(table: LayoutTable, language: Language) -> bytes:
    """The workbook: the table in the form of the document, and a sheet about it. Raises Unavailable."""
    layout, words = table.layout, TEXTS[language]
    writer = Writer(language)
    header = [words["layouts"]["row"], *(title_in(column.titles, language) for column in layout.columns)]
    with temporary_workbook() as book:
        book.add_sheet(table.period.code, header)
        book.write_rows(
            [
                title_in(row.titles, language),
                *(round_cell(column, cells[column.id]) for column in layout.columns),
            ]
            for row, cells in zip(layout.rows, table.cells, strict=True)
        )
        texts = words["workbook_texts"]
        book.add_sheet(texts["about"], [texts["name"], words["tables"]["value"]])
        book.write_rows(_facts_of(table, writer, language))
        book.close()
        return book.path.read_bytes()


def _facts_of(table: LayoutTable, writer: Writer, language: Language) -> list[list[Any]]:
    words, layout = writer.texts["layouts"], table.layout
    facts = [
        [words["layout"], title_in(layout.titles, language)],
        [writer.texts["facts"]["period"], writer.period(table.period.code)],
        [words["source"], layout.source],
        [words["effective_from"], layout.effective_from.isoformat()],
        [words["effective_to"], layout.effective_to.isoformat() if layout.effective_to else None],
        [writer.texts["facts"]["as_of"], table.as_of],
    ]
    return [*facts, [words["note"], words["example"]]] if layout.example else facts
