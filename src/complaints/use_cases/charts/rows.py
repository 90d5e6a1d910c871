"""Rows of a chart: each has its label above and its marks below it."""

from collections.abc import Callable, Sequence
from itertools import count

from complaints.use_cases.charts.drawing import WIDTH, draw_line, write_lines
from complaints.use_cases.charts.lettering import LINE, measure_text, wrap_text

BESIDE = 8
"""The distance between a mark and the text beside it."""
EDGE = 1
"""Where marks begin, so that their outline is seen whole."""
_BELOW_LABEL, _BETWEEN, _OVER = 4, 9, 2


def room_beside(texts: Sequence[str]) -> float:
    """The length of the longest mark, if each of these texts shall find room beside it."""
    return max(
        WIDTH - max((measure_text(text, bold=True) for text in texts), default=0) - BESIDE - 2 * EDGE,
        WIDTH / 4,
    )


def lay_rows(
    labels: Sequence[str], height: float, draw: Callable[[int, float], Sequence[str]]
) -> tuple[list[str], float]:
    """The elements of all rows, and where they end. `draw` makes the marks of a row by its place and its upper edge.

    A short line marks where the marks of a row begin.
    """
    made: list[str] = []
    y = 0.0
    for place, label in zip(count(), labels, strict=False):
        lines = wrap_text(label, WIDTH)
        made += write_lines(lines, 0, y + LINE - 4)
        y += LINE * len(lines) + _BELOW_LABEL
        made += [*draw(place, y), draw_line(EDGE, y - _OVER, EDGE, y + height + _OVER)]
        y += height + _BETWEEN
    return made, y
