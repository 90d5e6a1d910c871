"""Figures over a database with many complaints: a month by team, and a day. Their facts are made first."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from urllib.parse import urlencode

from benchmarks.context import BenchContext
from benchmarks.filled_database import FilledDatabase, filled_database
from benchmarks.measures.check import time_command
from benchmarks.measures.measure import Measurement, Row
from complaints.wiring import wall_now

_WARM_UP = 3
_FIGURES = (
    "inflow",
    "response_rate",
    "resolution_rate",
    "time_to_result",
    "first_contact_resolution",
    "backlog",
)
_AGO = timedelta(days=60)  # most complaints of the period have ended


@contextmanager
def _facts(context: BenchContext, filled: FilledDatabase) -> Iterator[dict[str, float]]:
    """The seconds that `complaints figures rebuild` takes to make the facts of all complaints, and its memory."""
    made = time_command(context, filled, ["figures", "rebuild", "--quiet"])
    context.tell(f"made the facts in {made.product:.0f} s")
    with filled.service.database.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE figure_fact")
        facts = connection.exec_driver_sql("SELECT count(*) FROM figure_fact").scalar_one()
    yield {
        "facts": facts,
        "rebuild_seconds": round(made.product, 1),
        **{f"rebuild_{name}": value for name, value in made.details.items()},
    }


def _measure(context: BenchContext, *, days: int, group_by: str) -> Measurement:
    """The p95 of the slowest figure."""
    filled = filled_database(context, context.options["complaints"], on_sqlite=False, folded=True)
    made = context.keep(f"facts, {context.options}", partial(_facts, context, filled))
    first = (wall_now() - _AGO).date()
    timings = {
        figure: _time(filled, figure, first, days, group_by, context.options["requests"])
        for figure in _FIGURES
    }
    return Measurement(max(timings.values()), details={**timings, **made})


def _time(filled: FilledDatabase, figure: str, first: date, days: int, group_by: str, requests: int) -> float:
    query = urlencode({"from": first, "to": first + timedelta(days=days), "group_by": group_by})
    samples = [filled.time_get(f"/v1/reports/{figure}?{query}") for _ in range(_WARM_UP + requests)][
        _WARM_UP:
    ]
    return sorted(samples)[int(len(samples) * 0.95)]


def _row(name: str, measures: str, *, days: int, group_by: str, floor: float, aim: float) -> Row:
    return Row(
        name=name,
        measures=measures,
        unit="ms",
        floor=floor,
        aim=aim,
        judged="product",
        measure=partial(_measure, days=days, group_by=group_by),
        options={"complaints": 1_000_000, "requests": 40},
        only_by_name=True,
    )


FIGURES = (
    _row("figures-month", "a figure of a month by team: p95 of the slowest", days=30, group_by="team",
         floor=1_000, aim=500),
    _row("figures-day", "a figure of a day by team: p95 of the slowest", days=1, group_by="team",
         floor=100, aim=50),
)  # fmt: skip
