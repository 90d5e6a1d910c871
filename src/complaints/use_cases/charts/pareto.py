"""A Pareto chart: bars, usually from the largest down, each with a knot at the share of all bars up to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

from complaints.use_cases.charts.bars import THICKNESS
from complaints.use_cases.charts.drawing import (
    INK,
    WIDTH,
    ChartWords,
    draw_box,
    draw_line,
    finish,
    paint_of,
    write_number,
    write_text,
)
from complaints.use_cases.charts.rows import EDGE, lay_rows, room_beside


@dataclass(frozen=True, slots=True)
class ParetoPart:
    """A part of the whole: at least 0."""

    label: str
    value: Decimal


def share_together(values: Sequence[Decimal]) -> list[Decimal]:
    """The share of each value together with those before it, from 0 to 1."""
    whole = sum(values, Decimal(0))
    return [one / whole if whole else Decimal(0) for one in accumulate(values)]


def draw_pareto(
    words: ChartWords, parts: Sequence[ParetoPart], write: Callable[[Decimal, Decimal], str]
) -> str:
    """Bars in the given order. The track of each has the length of the whole, with a knot at the share together.

    `write` writes a value and its share together with those before it.
    """
    values = [part.value for part in parts]
    shares = share_together(values)
    texts = [write(value, share) for value, share in zip(values, shares, strict=True)]
    room = room_beside(texts)
    whole = sum(values, Decimal(0)) or Decimal(1)

    def draw(place: int, y: float) -> list[str]:
        label = f"{parts[place].label}: {texts[place]}"
        length = float(values[place] / whole) * room
        box = draw_box(EDGE, y, length, THICKNESS, paint=paint_of(words, "solid"), label=label)
        knot = _draw_knot(EDGE + float(shares[place]) * room, y + THICKNESS / 2, room)
        return [box, *knot, write_text(texts[place], WIDTH, y + THICKNESS - 2, anchor="end", weight="bold")]

    made, bottom = lay_rows([part.label for part in parts], THICKNESS, draw)
    return finish(words, made, bottom)


def _draw_knot(x: float, y: float, room: float) -> list[str]:
    track = draw_line(EDGE, y, EDGE + room, y, dash="2 4")
    place = f'cx="{write_number(x)}" cy="{write_number(y)}"'
    return [track, f'<circle class="knot" {place} r="3.5" fill="{INK}" stroke="{INK}"/>']
