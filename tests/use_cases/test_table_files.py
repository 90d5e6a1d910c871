"""CSV and XLSX files: no cell is a formula, and no character breaks a file."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from complaints.domain.errors import Unavailable
from complaints.use_cases.table_files.cells import guard, text_of
from complaints.use_cases.table_files.csv_text import write_lines
from complaints.use_cases.table_files.workbook import Workbook

FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "\u3000=1", "\ufeff=1", "\u200b=1",
    "＝1", "＋1", "－1", "＠x", "﹦1", "\ttext", "=",
)  # fmt: skip
HARMLESS = ("", "a=b", "1-2", "王芳", "'quoted'", "“-", "(-1)", "€ -1", "…")
SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_no_text_begins_a_formula() -> None:
    for text in FORMULAS:
        assert guard(text) == text_of(text) == "'" + text
        assert text_of([text, "b"]) == f"'{text}; b"
        assert text_of({text: text})[0] == "{"
    for text in HARMLESS:
        assert guard(text) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (True, "true"), (-5, "-5"), (1.5, "1.5"), (Decimal("10.20"), "10.20"), ([], ""),
        (["a", "b"], "a; b"), (("x",), "x"), ([{"a": 1}], '[{"a":1}]'), ({}, "{}"),
        (datetime(2026, 1, 5, 1, 2, 3, tzinfo=UTC), "2026-01-05T01:02:03Z"),
    ],
)  # fmt: skip
def test_a_value_has_one_text(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_an_instant_is_written_in_the_wanted_zone() -> None:
    assert text_of(datetime(2026, 1, 5, 1, tzinfo=UTC), SHANGHAI) == "2026-01-05T09:00:00+08:00"


def test_lines_are_read_as_they_were_written() -> None:
    rows = [["a,b", 'say "x"', "two\nlines", "cr\rlf\r\n", ""], ["", "é", "王", "\x0b", "😀"]]
    text = write_lines(rows)
    assert text.startswith('"a,b","say ""x""","two\nlines"')
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == rows


def test_a_workbook_keeps_types_and_has_no_formula(tmp_path: Path) -> None:
    rich = "<r><t>x</t></r></is></c><c r='B2'><f>1+1</f></c><c r='C2' t='inlineStr'><is><r><t>y</t></r>"
    odd = ["a\x0bb", "_x0041_", "\ufffe", " kept ", "two\nlines", "<&>", "http://x.example", "😀" * 20_000]
    at = datetime(2026, 1, 5, 1, 2, 3, tzinfo=UTC)
    path = tmp_path / "book.xlsx"
    book = Workbook(path, zone=SHANGHAI)
    book.add_sheet("rows", ["first 一", "second"])
    book.write_rows(
        [[True, 2], [1.5, Decimal("10.20")], [at, None], [2**60, datetime(1899, 1, 1, tzinfo=UTC)]]
    )
    book.write_rows([[text] for text in (*FORMULAS, rich, *odd)])
    book.add_sheet("about", ["", ""])
    book.write_rows([["cursor", "=x"]])
    book.close()
    opened = openpyxl.load_workbook(path)
    sheet = opened["rows"]
    read = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=1, max_row=5, max_col=2)]
    local = datetime(2026, 1, 5, 9, 2, 3)  # noqa: DTZ001 - Excel knows no zones
    assert read == [
        ["first 一", "second"], [True, 2], [1.5, 10.2], [local, None], [str(2**60), "1899-01-01T08:05:43+08:05:43"],
    ]  # fmt: skip
    texts = [cell for (cell,) in sheet.iter_rows(min_row=6, max_col=1)]
    assert {cell.data_type for cell in texts} == {"s"}
    assert [cell.value for cell in texts[: len(FORMULAS)]] == [_read_back("'" + text) for text in FORMULAS]
    assert texts[len(FORMULAS)].value == "'" + rich
    shown = [cell.value for cell in texts[len(FORMULAS) + 1 :]]
    assert shown[3:7] == [" kept ", "two\nlines", "<&>", "http://x.example"]
    assert len(shown[7].encode("utf-16-le")) <= 2 * 32_767
    assert shown[7].endswith("😀…")
    assert (sheet.freeze_panes, sheet._hyperlinks, opened.sheetnames) == ("A2", [], ["rows", "about"])
    assert not [one for one in tmp_path.iterdir() if one != path]


def _read_back(text: str) -> str:
    return text.replace("\r", "_x000D_")


def test_a_workbook_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    book = Workbook(tmp_path / "gone" / "book.xlsx")
    with pytest.raises(Unavailable, match="cannot be written"):
        book.add_sheet("rows", ["a"])
