"""The elements of a drawing, and the drawing as a whole. Every text is escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from complaints.use_cases.charts.lettering import LINE, SIZE

WIDTH = 360
INK, PAPER, FILL = "#1b2430", "#ffffff", "#1f5fa8"
"""Colours of a drawing that stands alone. A page may set others by the classes `ink`, `paper` and `fill`."""
PATTERNS = ("solid", "slants", "dots", "bars", "crosses", "empty")
"""The patterns of areas, told apart without colour. `paint` names one."""
_TILES = {
    "slants": '<path class="stroke" d="M0 8L8 0M-2 2L2 -2M6 10L10 6" stroke="{0}" stroke-width="2"/>',
    "dots": '<circle class="fill" cx="4" cy="4" r="2" fill="{0}"/>',
    "bars": '<path class="stroke" d="M0 4H8" stroke="{0}" stroke-width="2.5"/>',
    "crosses": '<path class="stroke" d="M0 0L8 8M8 0L0 8" stroke="{0}" stroke-width="1"/>',
}


@dataclass(frozen=True, slots=True)
class ChartWords:
    """The name of a chart on its page, its title, and a description of what is to be seen on it.

    `name` has letters, digits and dashes, and is unique on the page.
    """

    name: str
    title: str
    description: str


Number = int | float | Decimal


def write_number(value: Number) -> str:
    """A coordinate with at most two decimal places."""
    return f"{float(value):.2f}".rstrip("0").rstrip(".")


def write_text(text: str, x: Number, y: Number, *, anchor: str = "start", weight: str = "normal") -> str:
    """A line of text whose baseline is at `y`."""
    place = f'x="{write_number(x)}" y="{write_number(y)}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text class="ink" {place} fill="{INK}">{escape(text)}</text>'


def write_lines(lines: Sequence[str], x: Number, y: Number, *, weight: str = "normal") -> list[str]:
    """Lines of text below each other; the baseline of the first is at `y`."""
    return [write_text(line, x, y + LINE * number, weight=weight) for number, line in enumerate(lines)]


def draw_line(x1: Number, y1: Number, x2: Number, y2: Number, *, dash: str = "") -> str:
    """A thin line."""
    ends = " ".join(
        f'{name}="{write_number(value)}"'
        for name, value in zip(("x1", "y1", "x2", "y2"), (x1, y1, x2, y2), strict=True)
    )
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line class="rule" {ends} stroke="{INK}"{dashed}/>'


def draw_box(x: Number, y: Number, width: Number, height: Number, *, paint: str, label: str) -> str:
    """A box with an outline. `paint` is of `paint_of`; a pointer that rests on the box shows `label`."""
    sides = " ".join(
        f'{name}="{write_number(value)}"'
        for name, value in zip(("x", "y", "width", "height"), (x, y, width, height), strict=True)
    )
    kind = "fill" if paint == FILL else "tile"
    outline = f'fill="{paint}" stroke="{FILL}"'
    return f'<rect class="{kind} edge" {sides} {outline}><title>{escape(label)}</title></rect>'


def paint_of(words: ChartWords, pattern: str) -> str:
    """The value of `fill` for a pattern of `PATTERNS`."""
    if pattern == "solid":
        return FILL
    return "none" if pattern == "empty" else f"url(#{words.name}-{pattern})"


def finish(words: ChartWords, elements: Sequence[str], height: Number) -> str:
    """The drawing with its title, its description and the patterns that it uses."""
    inner = "".join(elements)
    tiles = "".join(
        f'<pattern id="{words.name}-{name}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f"{tile.format(FILL)}</pattern>"
        for name, tile in _TILES.items()
        if f"#{words.name}-{name})" in inner
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" '
        f'viewBox="0 0 {WIDTH} {write_number(height)}" '
        f'aria-labelledby="{words.name}-title {words.name}-text" font-size="{SIZE}" '
        f'font-family="system-ui, sans-serif">'
        f'<title id="{words.name}-title">{escape(words.title)}</title>'
        f'<desc id="{words.name}-text">{escape(words.description)}</desc>'
        f"{f'<defs>{tiles}</defs>' if tiles else ''}{inner}</svg>"
    )
