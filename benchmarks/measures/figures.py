"""Figures over a database with many complaints: a month by team, and a day. Their facts are made first.

A figure reads facts alone. So the facts of some complaints are made from their histories. They are then copied under
other ids until there are as many as all complaints would have.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from urllib.parse import urlencode

from benchmarks.context import BenchContext
from benchmarks.filled_database import FilledDatabase, filled_database
from benchmarks.measures.check import time_command
from benchmarks.measures.measure import Measurement, Row
from complaints.storage.rows.figure_fact import figure_fact
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
    _copy_facts(filled, context.options["copies"] - 1)
    with filled.service.database.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE figure_fact")
        facts = connection.exec_driver_sql("SELECT count(*) FROM figure_fact").scalar_one()
    yield {
        "facts": facts,
        "rebuild_seconds": round(made.product, 1),
        **{f"rebuild_{name}": value for name, value in made.details.items()},
    }


def _copy_facts(filled: FilledDatabase, copies: int) -> None:
    """Copy each fact so often, for complaints that do not exist. The key to them is not checked meanwhile."""
    others = ", ".join(column.name for column in figure_fact.c if column.name != "complaint_id")
    with filled.service.database.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(
            f"INSERT INTO figure_fact (complaint_id, {others})"
            f" SELECT md5(complaint_id::text || copy)::uuid, {others}"
            f" FROM figure_fact, generate_series(1, {copies:d}) AS copy"
        )


def _measure(context: BenchContext, *, days: int, group_by: str) -> Measurement:
    """The p95 of the slowest figure."""
    complaints = context.options["complaints"] // context.options["copies"]
    filled = filled_database(context, complaints, on_sqlite=False, folded=True)
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
        options={"complaints": 1_000_000, "copies": 20, "requests": 40},
        only_by_name=True,
    )


FIGURES = (
    _row("figures-month", "a figure of a month by team: p95 of the slowest", days=30, group_by="team",
         floor=1_000, aim=500),
    _row("figures-day", "a figure of a day by team: p95 of the slowest", days=1, group_by="team",
         floor=100, aim=50),
)  # fmt: skip
