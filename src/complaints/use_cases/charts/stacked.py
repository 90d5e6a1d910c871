"""Stacked bars: each bar is a whole whose parts have patterns, with a legend below."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from complaints.use_cases.charts.bars import THICKNESS
from complaints.use_cases.charts.drawing import (
    INK,
    PAPER,
    PATTERNS,
    WIDTH,
    ChartWords,
    draw_box,
    finish,
    paint_of,
    write_lines,
    write_number,
    write_text,
)
from complaints.use_cases.charts.lettering import LINE, SIZE, measure_text, wrap_text
from complaints.use_cases.charts.rows import BESIDE, EDGE, lay_rows, room_beside

_TALL = 20
Write = Callable[[Decimal], str]


@dataclass(frozen=True, slots=True)
class StackedBar:
    """A whole with its parts in the order of the legend, each at least 0."""

    label: str
    parts: tuple[Decimal, ...]

    @property
    def whole(self) -> Decimal:
        """The sum of the parts."""
        return sum(self.parts, Decimal(0))


def draw_stacked(words: ChartWords, names: Sequence[str], bars: Sequence[StackedBar], write: Write) -> str:
    """Bars whose parts are as long as their values. `names` are those of the parts: six at most.

    Raises ValueError for more names than there are patterns.
    """
    if len(names) > len(PATTERNS):
        raise ValueError(f"{len(names)} parts cannot be told apart by {len(PATTERNS)} patterns")
    largest = max((bar.whole for bar in bars), default=Decimal(0)) or Decimal(1)
    scale = room_beside([write(bar.whole) for bar in bars]) / float(largest)
    made, y = lay_rows(
        [bar.label for bar in bars],
        _TALL,
        lambda place, top: _draw_parts(words, names, bars[place], top, scale, write),
    )
    for name, pattern, number in zip(names, PATTERNS, range(len(names)), strict=False):
        total = sum((bar.parts[number] for bar in bars), Decimal(0))
        legend, height = _draw_legend(words, f"{name}: {write(total)}", pattern, y)
        made += legend
        y += height
    return finish(words, made, y)


def _draw_parts(
    words: ChartWords, names: Sequence[str], bar: StackedBar, y: float, scale: float, write: Write
) -> list[str]:
    made: list[str] = []
    x = float(EDGE)
    for name, pattern, part in zip(names, PATTERNS, bar.parts, strict=False):
        length = float(part) * scale
        if length > 0:
            label = f"{bar.label}, {name}: {write(part)}"
            made.append(draw_box(x, y, length, _TALL, paint=paint_of(words, pattern), label=label))
            made += _write_inside(write(part), x, y, length)
        x += length
    return [*made, write_text(write(bar.whole), x + BESIDE, y + _TALL - 5, weight="bold")]


def _write_inside(text: str, x: float, y: float, length: float) -> list[str]:
    """The value of a part on a plate, if the part is long enough for it. The table has the others."""
    width = measure_text(text) + 4
    if width > length - 2:
        return []
    middle = x + length / 2
    plate = (
        f'<rect class="paper" x="{write_number(middle - width / 2)}" y="{write_number(y + 2)}" '
        f'width="{write_number(width)}" height="{SIZE + 3}" fill="{PAPER}" stroke="{INK}" stroke-width="0.5"/>'
    )
    return [plate, write_text(text, middle, y + _TALL - 6, anchor="middle")]


def _draw_legend(words: ChartWords, text: str, pattern: str, y: float) -> tuple[list[str], float]:
    """What a pattern means, with the sum over all bars; and the height of it."""
    beside = _TALL + BESIDE
    lines = wrap_text(text, WIDTH - beside)
    box = draw_box(EDGE, y + 1, _TALL, THICKNESS, paint=paint_of(words, pattern), label=text)
    return [box, *write_lines(lines, beside, y + LINE - 4)], LINE * len(lines) + 4
