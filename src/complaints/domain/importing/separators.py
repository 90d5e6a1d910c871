"""Finds the character between the cells of a CSV file: a comma, a semicolon, a tab or a bar."""

import csv
import re
from collections.abc import Iterator
from typing import NamedTuple

_KNOWN = ",;\t|"
_DECLARED = re.compile(r'"?sep=([^\w\s"]|\t)"?[,;\t ]*[\r\n]*', re.IGNORECASE)
_SAMPLE_LINES = 200
_SAMPLE = 256 * 1024


class Separator(NamedTuple):
    """The character between cells. `declared`: the first line says so (`sep=;`) and is no header."""

    char: str
    declared: bool


def find_separator(lines: Iterator[str]) -> Separator:
    """Find the separator from the first lines of a file.

    The header must have at least two cells. The best separator gives most rows as many cells as the header.
    Of equal ones it is the one with most columns, and then the comma.
    """
    sample: list[str] = []
    size = 0
    for line in lines:
        if not sample and (declared := _DECLARED.fullmatch(line)):
            return Separator(declared[1], declared=True)
        sample.append(line[:_SAMPLE])
        size += len(line)
        if len(sample) >= _SAMPLE_LINES or size > _SAMPLE:
            break
    return Separator(max(_KNOWN, key=lambda char: _fitness(sample, char)), declared=False)


def _fitness(sample: list[str], separator: str) -> tuple[int, int]:
    """The number of rows with as many cells as the header, and the number of its cells."""
    widths = list(_widths(sample, separator))
    if not widths or widths[0] < 2:
        return 0, 0
    return widths[1:].count(widths[0]), widths[0]


def _widths(sample: list[str], separator: str) -> Iterator[int]:
    """The number of cells of each row that is not blank. The sample may end inside a row."""
    reader = csv.reader(sample, delimiter=separator, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield 0  # a broken row fits no header
            continue
        if any(map(str.strip, cells)):
            yield len(cells)
