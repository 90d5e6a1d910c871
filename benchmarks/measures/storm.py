"""The storm: many deadlines due at once, taken by several workers, beside SQL that writes the same rows set-wise."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from benchmarks.context import BenchContext
from benchmarks.data.due_complaints import make_many_due
from benchmarks.data.replay import Replay
from benchmarks.data.table_copies import row_counts
from benchmarks.databases import plain_url, server_cpu_seconds
from benchmarks.errors import CannotMeasure
from benchmarks.measures.measure import Cost, Measurement, Row
from benchmarks.processes import migrate, product_environment, running
from complaints import wiring

_PATIENCE_SECONDS = 1800.0
_SINCE_DUE = timedelta(seconds=5)
_LEFT = "SELECT 1 FROM complaint WHERE wake_at <= %s AND parked_at IS NULL LIMIT 1"
_STEPS = "SELECT count(*), min(taken_at) FROM escalation WHERE planned_at = %s"
# Deadlines that had anything else than one step at the instant at which they all fell due.
_WRONG = """
SELECT count(*) FROM (
  SELECT d.id FROM deadline d LEFT JOIN escalation e ON e.deadline_id = d.id AND e.planned_at = %(due_at)s
  WHERE d.kind = 'first_response' AND d.due_at = %(due_at)s GROUP BY d.id HAVING count(e.id) <> 1
) wrong
"""
_PARKED = "SELECT count(*) FROM complaint WHERE parked_at IS NOT NULL"


@dataclass(frozen=True, slots=True)
class _Data:
    """A database in which everything fell due at one instant; to be copied for each run."""

    url: str
    due_at: datetime
    complaints: int


def measure_storm(context: BenchContext) -> Measurement:
    """Steps a second by the workers, and by set-based SQL on another copy of the same data."""
    deadlines, workers = context.options["deadlines"], context.options["workers"]
    data = context.keep(f"storm-{deadlines}", lambda: _data(context, deadlines))
    with context.own_database(data.url) as stormed, context.own_database(data.url) as replayed:
        with psycopg.connect(plain_url(stormed)) as connection:
            before = row_counts(connection)
        details, steps, seconds = _storm(context, stormed, data, workers)
        with psycopg.connect(plain_url(stormed)) as connection:
            after = row_counts(connection)
            details["rows_added"] = {t: n - before[t] for t, n in after.items() if n != before[t]}
            replay = Replay.prepare(connection, replayed, workers=workers)
        limit_seconds = replay.run(workers)
    details |= {"limit_seconds": limit_seconds, "rows_changed": replay.changed}
    return Measurement(steps / seconds, steps / limit_seconds, details)


@contextmanager
def _data(context: BenchContext, deadlines: int) -> Iterator[_Data]:
    with context.own_database() as url:
        context.tell(f"making {deadlines} complaints whose first response is due")
        migrate(context.new_directory(), url)
        due_at = wiring.wall_now().replace(microsecond=0) - _SINCE_DUE
        yield _Data(url, due_at, make_many_due(url, due_at, deadlines))


def _storm(context: BenchContext, url: str, data: _Data, workers: int) -> tuple[dict[str, Any], int, float]:
    """Let workers take everything. Details, the steps taken, and the seconds from the first to the last."""
    directory = context.new_directory()
    environment = product_environment(directory, url)
    with ExitStack() as stack, psycopg.connect(plain_url(url), autocommit=True) as connection:
        database_cpu = server_cpu_seconds(url)
        started = [
            stack.enter_context(running(["complaints", "worker"], directory, environment))
            for _ in range(workers)
        ]
        give_up_at = time.monotonic() + _PATIENCE_SECONDS
        while connection.execute(_LEFT, [data.due_at]).fetchone():
            if time.monotonic() > give_up_at:
                raise CannotMeasure("The storm did not end.")
            time.sleep(0.02)
        ended = wiring.wall_now()
        worker_cpu = [worker.cpu_seconds for worker in started]
        database_cpu = server_cpu_seconds(url) - database_cpu
        row = connection.execute(_STEPS, [data.due_at]).fetchone()
        steps, first = row or (0, ended)
        _check(connection, data)
    return (
        {
            "complaints": data.complaints,
            "steps": steps,
            "seconds": (ended - first).total_seconds(),
            "worker_cpu_seconds": [round(cpu, 2) for cpu in worker_cpu],
            "worker_cpu_ms_per_step": round(1000 * sum(worker_cpu) / steps, 3),
            "database_cpu_ms_per_step": round(1000 * database_cpu / steps, 3),
        },
        steps,
        (ended - first).total_seconds(),
    )


def _check(connection: "psycopg.Connection[Any]", data: _Data) -> None:
    """Exactly one escalation per deadline and step, and nothing set aside."""
    for statement, what in (
        (_WRONG, "deadlines were not escalated exactly once"),
        (_PARKED, "were set aside"),
    ):
        row = connection.execute(statement.encode(), {"due_at": data.due_at}).fetchone()
        if row is None or row[0]:
            raise CannotMeasure(f"After the storm, {row[0] if row else 'unknown'} {what}.")


def _cpu_of_step(details: Mapping[str, Any]) -> float:
    return float(details["worker_cpu_ms_per_step"] + details["database_cpu_ms_per_step"])


STORM = Row(
    name="storm",
    measures="steps a second when deadlines fall due at once, beside set-based SQL doing the same writes",
    unit="steps/s",
    floor=0.45,
    aim=0.70,
    measure=measure_storm,
    options={"deadlines": 100_000, "workers": 2},
    cost=Cost("processor time of a step, workers and database", "ms", _cpu_of_step),
)
