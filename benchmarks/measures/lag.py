"""Detection lag: how late steps are taken while deadlines fall due one by one and intake goes on."""

import time
from datetime import datetime
from statistics import quantiles
from typing import Any

import psycopg

from benchmarks.context import BenchContext
from benchmarks.data.due_complaints import make_due
from benchmarks.databases import plain_url
from benchmarks.errors import CannotMeasure
from benchmarks.load import Load, posts, put_load
from benchmarks.measures.measure import Measurement, Row
from benchmarks.processes import SECRET, Process, product_environment, running, serving
from complaints import wiring

_PATIENCE_SECONDS = 60.0
_LAGS = """
SELECT extract(epoch FROM taken_at - planned_at)::float FROM escalation WHERE planned_at BETWEEN %s AND %s
"""
_LEFT = "SELECT count(*) FROM complaint WHERE wake_at <= %s AND parked_at IS NULL"


def measure_lag(context: BenchContext) -> Measurement:
    """p99 of taken minus planned, over all steps that fell due while intake ran at a steady rate."""
    seconds, rate = context.options["seconds"], context.options["deadlines_per_second"]
    wanted, directory = seconds * rate, context.new_directory()
    with context.own_database() as url, serving(context.options["processes"], directory, url) as servers:
        environment = product_environment(directory, url)
        with running(["complaints", "worker"], directory, environment) as worker:
            worker.wait_printed("Watching")
            due = make_due(url, wanted, rate)
            load = _load_until(due[-1], servers, context)
            _wait_until_taken(url, due[-1])
            lags = _lags(url, due[0], due[-1])
            details = {"worker_cpu_seconds": worker.cpu_seconds}
    if len(lags) < wanted:
        raise CannotMeasure(f"{wanted} deadlines fell due, and {len(lags)} steps were taken.")
    return Measurement(_percentile(lags, 99), details=details | _details_of(lags, load))


def _load_until(end: datetime, servers: list[Process], context: BenchContext) -> Load:
    """Intake at the steady rate until the last deadline falls due; it has run for a while when the first does."""
    return put_load(
        [server.port() for server in servers],
        posts("/v1/complaints", mark="steady", secret=SECRET),
        connections=16,
        seconds=(end - wiring.wall_now()).total_seconds(),
        rate=context.options["posts_per_second"],
    )


def _wait_until_taken(url: str, end: datetime) -> None:
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    with psycopg.connect(plain_url(url), autocommit=True) as connection:
        while (row := connection.execute(_LEFT, [end]).fetchone()) and row[0]:
            if time.monotonic() > give_up_at:
                raise CannotMeasure(
                    f"{row[0]} deadlines were still not taken a minute after the last fell due."
                )
            time.sleep(0.1)


def _lags(url: str, start: datetime, end: datetime) -> list[float]:
    with psycopg.connect(plain_url(url)) as connection:
        return [lag for (lag,) in connection.execute(_LAGS, [start, end]).fetchall()]


def _percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _details_of(lags: list[float], load: Load) -> dict[str, Any]:
    return {
        "steps": len(lags),
        "p50_seconds": round(_percentile(lags, 50), 3),
        "p95_seconds": round(_percentile(lags, 95), 3),
        "worst_seconds": round(max(lags), 3),
        "posts_per_second": round(load.accepted / load.seconds, 1),
        "posts_failed": load.failed,
        "post_p50_ms": round(load.p50_ms, 2),
        "post_p99_ms": round(load.p99_ms, 2),
    }


LAG = Row(
    name="lag",
    measures="p99 of (taken - due) while deadlines fall due steadily and intake runs; one worker",
    unit="s",
    floor=0.3,
    aim=0.2,
    judged="product",
    measure=measure_lag,
    options={"seconds": 30, "deadlines_per_second": 100, "posts_per_second": 100, "processes": 2},
)
