"""Horizontal bars, one below another: each with its label above it and its value beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from complaints.use_cases.charts.drawing import ChartWords, draw_box, draw_line, finish, paint_of, write_text
from complaints.use_cases.charts.rows import BESIDE, EDGE, lay_rows, room_beside

THICKNESS = 14
_CAP = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A value that is at least 0, and how it is written. None: there is no value, and no bar.

    A value that is not `firm` stands on few cases: its bar is hollow. `interval` is where the true value may lie.
    """

    label: str
    value: Decimal | None
    written: str
    firm: bool = True
    interval: tuple[Decimal, Decimal] | None = None

    @property
    def reach(self) -> Decimal:
        """The largest value that must find room."""
        return max(self.value or Decimal(0), self.interval[1] if self.interval else Decimal(0))


def draw_bars(words: ChartWords, bars: Sequence[Bar], *, largest: Decimal | None = None) -> str:
    """Bars whose lengths are as their values. A bar of `largest` would have the whole length."""
    whole = largest or max((bar.reach for bar in bars), default=Decimal(0)) or Decimal(1)
    scale = room_beside([bar.written for bar in bars]) / float(whole)
    made, bottom = lay_rows(
        [bar.label for bar in bars], THICKNESS, lambda place, y: _draw_bar(words, bars[place], y, scale)
    )
    return finish(words, made, bottom)


def _draw_bar(words: ChartWords, bar: Bar, y: float, scale: float) -> list[str]:
    made: list[str] = []
    length = float(bar.value or 0) * scale
    if length > 0:
        paint = paint_of(words, "solid" if bar.firm else "empty")
        made.append(draw_box(EDGE, y, length, THICKNESS, paint=paint, label=f"{bar.label}: {bar.written}"))
    if bar.interval is not None:
        made += _draw_whisker(bar.interval, y + THICKNESS / 2, scale)
    beside = EDGE + float(bar.reach) * scale + BESIDE
    weight = "bold" if bar.firm else "normal"
    return [*made, write_text(bar.written, beside, y + THICKNESS - 2, weight=weight)]


def _draw_whisker(interval: tuple[Decimal, Decimal], y: float, scale: float) -> list[str]:
    low, high = (EDGE + float(one) * scale for one in interval)
    return [
        draw_line(low, y, high, y),
        draw_line(low, y - _CAP, low, y + _CAP),
        draw_line(high, y - _CAP, high, y + _CAP),
    ]
