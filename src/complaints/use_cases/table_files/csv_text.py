"""CSV as RFC 4180 has it: commas, quotes where they are needed, CR LF at the end of a line."""

import csv
import io
from collections.abc import Iterable, Sequence

CSV_TYPE = "text/csv"
BOM = "\ufeff"
"""Excel takes a file without it for text in the character set of the machine."""


def write_lines(rows: Iterable[Sequence[str]]) -> str:
    """The lines of these rows. The cells are texts of `cells.text_of`."""
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\r\n").writerows(rows)
    return lines.getvalue()
