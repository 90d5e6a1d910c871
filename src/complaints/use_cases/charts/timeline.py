"""A line over time: points at equal distances, with an axis of round numbers and the extremes written beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from math import ceil

from complaints.use_cases.charts.drawing import (
    FILL,
    WIDTH,
    ChartWords,
    draw_line,
    finish,
    write_number,
    write_text,
)
from complaints.use_cases.charts.lettering import LINE, measure_text

_HEIGHT, _ABOVE, _BESIDE, _RADIUS = 150, 20, 8, 3
_ROUND = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10), Decimal(100))
_STEPS = 4


@dataclass(frozen=True, slots=True)
class TimePoint:
    """A value at a place in time, and how it is written. None: there is no value, and the line has a gap."""

    label: str
    value: Decimal | None
    written: str


def choose_ticks(largest: Decimal) -> list[Decimal]:
    """Round numbers from 0 to at least `largest`, at equal distances: five at most."""
    if largest <= 0:
        return [Decimal(0), Decimal(1)]
    power = Decimal(10) ** (largest / _STEPS).adjusted()
    steps = (one * power for one in _ROUND if one * power * _STEPS >= largest)
    step = next(one for one in steps if _is_whole(one) or not _is_whole(largest))
    return [step * number for number in range(ceil(largest / step) + 1)]


def _is_whole(number: Decimal) -> bool:
    return number == number.to_integral_value()


def draw_timeline(words: ChartWords, points: Sequence[TimePoint], write: Callable[[Decimal], str]) -> str:
    """A line through the points, from 0 on. `write` writes the numbers of the axis."""
    values = [point.value for point in points if point.value is not None]
    ticks = choose_ticks(max(values, default=Decimal(0)))
    left = max(measure_text(write(tick)) for tick in ticks) + _BESIDE
    right = WIDTH - _RADIUS - 1
    step = (right - left) / max(len(points) - 1, 1)
    base = _ABOVE + _HEIGHT
    scale = _HEIGHT / float(ticks[-1])
    places = [
        (left + step * number, base - float(point.value or 0) * scale) for number, point in enumerate(points)
    ]
    elements = _draw_axis(ticks, write, left, scale)
    elements += _draw_runs(points, places)
    elements += _write_extremes(points, places, left)
    elements += _write_times(points, places, base)
    return finish(words, elements, base + LINE + 6)


def _draw_axis(
    ticks: Sequence[Decimal], write: Callable[[Decimal], str], left: float, scale: float
) -> list[str]:
    made: list[str] = []
    for tick in ticks:
        y = _ABOVE + _HEIGHT - float(tick) * scale
        made.append(draw_line(left, y, WIDTH, y, dash="" if tick == 0 else "2 4"))
        made.append(write_text(write(tick), left - _BESIDE + 2, y + 4, anchor="end"))
    return made


def _draw_runs(points: Sequence[TimePoint], places: Sequence[tuple[float, float]]) -> list[str]:
    """A line for each run of points with values, and a dot for each point."""
    made: list[str] = []
    known = [(point, place) for point, place in zip(points, places, strict=True)]
    for is_known, run in groupby(known, key=lambda one: one[0].value is not None):
        if not is_known:
            continue
        own = list(run)
        way = " ".join(f"{write_number(x)},{write_number(y)}" for _, (x, y) in own)
        made.append(f'<polyline class="stroke" points="{way}" fill="none" stroke="{FILL}" stroke-width="2"/>')
        made += [
            f'<circle class="fill" cx="{write_number(x)}" cy="{write_number(y)}" r="{_RADIUS}" fill="{FILL}"/>'
            for _, (x, y) in own
        ]
    return made


def _write_extremes(
    points: Sequence[TimePoint], places: Sequence[tuple[float, float]], left: float
) -> list[str]:
    """The highest value, above its point, inside the drawing."""
    known = [(point, place) for point, place in zip(points, places, strict=True) if point.value is not None]
    if not known:
        return []
    highest, (x, y) = max(known, key=lambda one: one[0].value or Decimal(0))
    text = f"{highest.label}: {highest.written}"
    half = measure_text(text, bold=True) / 2
    middle = min(max(x, left + half), WIDTH - half)
    return [write_text(text, middle, y - _RADIUS - 4, anchor="middle", weight="bold")]


def _write_times(
    points: Sequence[TimePoint], places: Sequence[tuple[float, float]], base: float
) -> list[str]:
    """The first and the last time, and the middle one if there is room."""
    if not points:
        return []
    last = len(points) - 1
    made = [write_text(points[0].label, places[0][0], base + LINE, anchor="start")]
    if last > 0:
        made.append(write_text(points[last].label, WIDTH, base + LINE, anchor="end"))
    middle = last // 2
    taken = (
        measure_text(points[0].label) + measure_text(points[last].label) + measure_text(points[middle].label)
    )
    if 0 < middle < last and taken + 4 * _BESIDE < WIDTH - places[0][0]:
        made.append(write_text(points[middle].label, places[middle][0], base + LINE, anchor="middle"))
    return made
