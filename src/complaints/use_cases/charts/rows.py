"""Rows of a chart: each has its label above and its marks below it."""

from collections.abc import Callable, Sequence
from itertools import count

from complaints.use_cases.charts.drawing import WIDTH, draw_line, write_lines
from complaints.use_cases.charts.lettering import LINE, measure_text, wrap_text

BESIDE = 6
"""The distance between a mark and the text beside it."""
EDGE = 1
"""Where marks begin, so that their outline is seen whole."""
_BELOW_LABEL, _BETWEEN = 2, 10


def room_beside(texts: Sequence[str]) -> float:
    """The length of the longest mark, if each of these texts shall find room beside it."""
    return max(WIDTH - max(map(measure_text, texts), default=0) - BESIDE - 2 * EDGE, WIDTH / 4)


def lay_rows(
    labels: Sequence[str], height: float, draw: Callable[[int, float], Sequence[str]]
) -> tuple[list[str], float]:
    """The elements of all rows, and where they end. `draw` makes the marks of a row by its place and its upper edge."""
    made: list[str] = []
    y = 0.0
    for place, label in zip(count(), labels, strict=False):
        lines = wrap_text(label, WIDTH)
        made += write_lines(lines, 0, y + LINE - 4)
        y += LINE * len(lines) + _BELOW_LABEL
        made += draw(place, y)
        y += height + _BETWEEN
    return made, y


def draw_origin(bottom: float) -> str:
    """The line at which all marks begin."""
    return draw_line(EDGE, 0, EDGE, bottom)
