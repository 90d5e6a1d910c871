"""Queries as tables grow: overdue pages, their summary, full text, histories; one client, a real server.

The limit of a row is its SQL alone, sent by the driver; what the product takes beyond that is its own doing.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import Any

from benchmarks.context import BenchContext
from benchmarks.filled_database import FilledDatabase, filled_database
from benchmarks.measures.measure import Cost, Measurement, Row
from benchmarks.measures.questions import Question, histories, overdue_pages, searches, statements_of, summary
from complaints.use_cases.service import Service

_WARM_UP = 30
Ask = Callable[["FilledDatabase"], list[Question]]


# What is asked -----------------------------------------------------------------------------------------------------


def _histories(filled: FilledDatabase) -> list[Question]:
    """Of an overdue complaint, and from the middle of the feed."""
    [one] = json.loads(filled.get("/v1/complaints?overdue=true&limit=1"))["items"]
    [newest] = json.loads(filled.get("/v1/complaints?limit=1"))["items"]
    [newest_event, *_] = json.loads(filled.get(f"/v1/complaints/{newest['id']}/timeline"))["items"]
    after = newest_event["sequence"] // 2
    position = json.dumps({"kind": "changes", "after": after}).encode()
    cursor = base64.urlsafe_b64encode(position).rstrip(b"=").decode()
    return histories(one["id"], cursor, after)


# Measuring ---------------------------------------------------------------------------------------------------------


def _p95(samples: list[float]) -> float:
    return sorted(samples)[int(len(samples) * 0.95)]


def _measure(context: BenchContext, *, ask: Ask, on_sqlite: bool) -> Measurement:
    """The slowest question's p95, and that of its SQL alone.

    With the option `analyses` all is asked again after each of so many ANALYZEs, whose samples differ.
    """
    filled = filled_database(context, context.options["complaints"], on_sqlite=on_sqlite)
    timings = _timed_all(context, filled, ask)
    for n in range(1, context.options.get("analyses", 0) + 1):
        with filled.service.database.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
        again = _timed_all(context, filled, ask)
        timings |= {f"{name}, ANALYZE {n}": timing for name, timing in again.items()}
    slowest = max(timings.values(), key=lambda one: one["p95_ms"])
    return Measurement(slowest["p95_ms"], slowest["sql_p95_ms"], timings)


def _timed_all(context: BenchContext, filled: FilledDatabase, ask: Ask) -> dict[str, dict[str, float]]:
    requests = context.options["requests"]
    return {question.name: _timed(filled, question, requests) for question in ask(filled)}


def _timed(filled: FilledDatabase, question: Question, requests: int) -> dict[str, float]:
    # The server may have ended the connection while SQL was measured. The next request opens another.
    filled.client.close()
    for _ in range(_WARM_UP):
        size = len(filled.get(question.path))
    before = filled.server.cpu_seconds
    samples = [filled.time_get(question.path) for _ in range(requests)]
    cpu = filled.server.cpu_seconds - before
    sql = _timed_sql(filled.service, question, requests)
    return {
        "p50_ms": sorted(samples)[len(samples) // 2],
        "p95_ms": _p95(samples),
        "sql_p50_ms": sorted(sql)[len(sql) // 2],
        "sql_p95_ms": _p95(sql),
        "server_cpu_ms": cpu * 1000 / requests,
        "bytes": size,
    }


def _timed_sql(service: Service, question: Question, times: int) -> list[float]:
    statements = statements_of(service, question)
    samples = []
    with service.database.engine.connect() as connection:
        cursor: Any = connection.connection.cursor()
        for n in range(_WARM_UP + times):
            began = time.perf_counter()
            for statement, bound in statements:
                cursor.execute(statement, bound)
                cursor.fetchall()
            if n >= _WARM_UP:
                samples.append((time.perf_counter() - began) * 1000)
    return samples


def _compare(context: BenchContext, *, ask: Ask, on_sqlite: bool, sparse: bool = False) -> Measurement:
    """The worst ratio of a question's p95 to its p95 on few complaints; both asked in turn, in one run."""
    many = filled_database(context, context.options["complaints"], on_sqlite=on_sqlite, sparse=sparse)
    few = filled_database(context, context.options["baseline"], on_sqlite=on_sqlite, sparse=sparse)
    pairs = list(zip(ask(many), ask(few), strict=True))
    timings = {}
    for large, small in pairs:
        samples = _in_turn(((many, large), (few, small)), context.options["requests"])
        timings[large.name] = {"p95_ms": _p95(samples[0]), "baseline_p95_ms": _p95(samples[1])}
    worst = max(timings.values(), key=lambda one: one["p95_ms"] / one["baseline_p95_ms"])
    return Measurement(worst["p95_ms"], worst["baseline_p95_ms"], timings)


def _in_turn(asked: Sequence[tuple[FilledDatabase, Question]], requests: int) -> list[list[float]]:
    samples: list[list[float]] = [[] for _ in asked]
    for n in range(_WARM_UP + requests):
        for (filled, question), own in zip(asked, samples, strict=True):
            taken = filled.time_get(question.path)
            if n >= _WARM_UP:
                own.append(taken)
    return samples


# The rows ----------------------------------------------------------------------------------------------------------


def _cpu_of_answer(details: Mapping[str, Any]) -> float:
    return fmean(timing["server_cpu_ms"] for timing in details.values())


_MILLION = {"complaints": 1_000_000, "requests": 300}
_SEARCHED = {"complaints": 1_000_000, "requests": 100}


def _rows(*, on_sqlite: bool) -> Iterator[Row]:
    service = "-sqlite" if on_sqlite else ""
    absolute: tuple[tuple[str, str, tuple[float, float], tuple[float, float], Ask], ...] = (
        ("overdue-page", "the slowest overdue page of 50", (6, 4), (10, 5), lambda _: overdue_pages()),
        ("overdue-summary", "the overdue summary", (30, 15), (200, 60), lambda _: summary()),
        ("search", "the slowest full-text query", (50, 25), (300, 100), lambda _: searches()),
    )
    for name, measures, on_postgres, in_file, ask in absolute:
        floor, aim = in_file if on_sqlite else on_postgres
        options = _SEARCHED if name == "search" else _MILLION  # only PostgreSQL plans by statistics
        yield Row(
            name=f"{name}{service}",
            measures=f"{measures}, p95 of one client; the limit is its SQL alone",
            unit="ms",
            floor=floor,
            aim=aim,
            judged="product",
            measure=partial(_measure, ask=ask, on_sqlite=on_sqlite),
            options=options if on_sqlite or name != "search" else {**options, "analyses": 3},
            needs_postgres=not on_sqlite,
            cost=Cost("processor time of an answer, server without database", "ms", _cpu_of_answer),
        )
    flat: tuple[tuple[str, str, tuple[float, float], Ask], ...] = (
        ("overdue-flat", "overdue pages", (1.2, 1.05), lambda _: overdue_pages()),
        ("history-flat", "the history of one complaint and a page of the feed", (1.5, 1.1), _histories),
    )
    for name, measures, (floor, aim), ask in flat:
        yield Row(
            name=f"{name}{service}",
            measures=f"{measures}: p95 by that on few complaints, the worst of them",
            unit="ms",
            floor=floor,
            aim=aim,
            measure=partial(_compare, ask=ask, on_sqlite=on_sqlite),
            options={**_MILLION, "baseline": 10_000},
            needs_postgres=not on_sqlite,
        )


_TEN_MILLION = Row(
    name="overdue-flat-10m",
    measures="overdue pages at ten million: p95 by that at a million, the worst of them",
    unit="ms",
    floor=1.2,
    aim=1.05,
    measure=partial(_compare, ask=lambda _: overdue_pages(), on_sqlite=False, sparse=True),
    options={**_MILLION, "complaints": 10_000_000, "baseline": 1_000_000},
    only_by_name=True,  # it takes 32 GB of disk
)
QUERIES = (*_rows(on_sqlite=False), *_rows(on_sqlite=True), _TEN_MILLION)
