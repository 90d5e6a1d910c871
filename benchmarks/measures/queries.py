"""Queries as tables grow: overdue pages, their summary, full text, histories; one client, a real server.

The limit of a row is its SQL alone, sent by the driver; what the product takes beyond that is its own doing.
"""

import base64
import http.client
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks.context import BenchContext
from benchmarks.data.dataset import SAMPLES, Shares, make_dataset
from benchmarks.errors import CannotMeasure
from benchmarks.measures.measure import Measurement, Row
from benchmarks.measures.questions import Question, histories, overdue_pages, searches, statements_of, summary
from benchmarks.processes import SECRET, Process, serving
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.service import Service
from complaints.wiring import new_id, wall_clock

_WARM_UP = 30
_FEWEST_SAMPLES = 28
Ask = Callable[["FilledDatabase"], list[Question]]


@dataclass(slots=True)
class FilledDatabase:
    """A database with complaints, the engine on it, and a server of it with one client."""

    service: Service
    server: Process
    client: http.client.HTTPConnection
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": f"Bearer {SECRET}"})

    def get(self, path: str) -> bytes:
        """The body of an answer. Raises CannotMeasure unless it is 200."""
        self.client.request("GET", path, headers=self.headers)
        answer = self.client.getresponse()
        body = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise CannotMeasure(f"{path} was answered with {answer.status}: {body[:300]!r}")
        return body

    def time_get(self, question: Question) -> float:
        """Milliseconds until the whole answer is there."""
        began = time.perf_counter()
        self.get(question.path)
        return (time.perf_counter() - began) * 1000


@contextmanager
def _filled(context: BenchContext, complaints: int, *, on_sqlite: bool) -> Iterator[FilledDatabase]:
    if on_sqlite:
        with _served(context, complaints, f"sqlite:///{context.new_directory() / 'complaints.db'}") as filled:
            yield filled
        return
    with context.own_database() as url, _served(context, complaints, url) as filled:
        yield filled


@contextmanager
def _served(context: BenchContext, complaints: int, url: str) -> Iterator[FilledDatabase]:
    context.tell(f"making {complaints} complaints")
    began = time.perf_counter()
    make_dataset(url, Shares.of(complaints), samples=max(_FEWEST_SAMPLES, min(SAMPLES, complaints // 20)))
    context.tell(f"made in {time.perf_counter() - began:.0f} s")
    opened = open_engine(url)
    try:
        with serving(1, context.new_directory(), url) as [server]:
            client = http.client.HTTPConnection("127.0.0.1", server.port(), timeout=60)
            yield FilledDatabase(Service(Database(opened, wall_clock), new_id), server, client)
            client.close()
    finally:
        opened.dispose()


def kept_database(context: BenchContext, complaints: int, *, on_sqlite: bool) -> FilledDatabase:
    """The same for every run and row of an invocation: it takes minutes to make."""
    name = f"complaints-{'sqlite' if on_sqlite else 'postgresql'}-{complaints}"
    return context.keep(name, lambda: _filled(context, complaints, on_sqlite=on_sqlite))


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
    filled = kept_database(context, context.options["complaints"], on_sqlite=on_sqlite)
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
    samples = [filled.time_get(question) for _ in range(requests)]
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


def _compare(context: BenchContext, *, ask: Ask, on_sqlite: bool) -> Measurement:
    """The worst ratio of a question's p95 to its p95 on few complaints; both asked in turn, in one run."""
    many = kept_database(context, context.options["complaints"], on_sqlite=on_sqlite)
    few = kept_database(context, context.options["baseline"], on_sqlite=on_sqlite)
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
            taken = filled.time_get(question)
            if n >= _WARM_UP:
                own.append(taken)
    return samples


# The rows ----------------------------------------------------------------------------------------------------------

_MILLION = {"complaints": 1_000_000, "requests": 300}
_SEARCHED = {"complaints": 1_000_000, "requests": 100, "analyses": 3}  # SQLite has no statistics


def _rows(*, on_sqlite: bool) -> Iterator[Row]:
    service = "-sqlite" if on_sqlite else ""
    absolute: tuple[tuple[str, str, tuple[float, float], tuple[float, float], Ask], ...] = (
        ("overdue-page", "the slowest overdue page of 50", (6, 4), (10, 5), lambda _: overdue_pages()),
        ("overdue-summary", "the overdue summary", (30, 15), (200, 60), lambda _: summary()),
        ("search", "the slowest full-text query", (50, 25), (300, 100), lambda _: searches()),
    )
    for name, measures, on_postgres, in_file, ask in absolute:
        floor, aim = in_file if on_sqlite else on_postgres
        yield Row(
            name=f"{name}{service}",
            measures=f"{measures}, p95 of one client; the limit is its SQL alone",
            unit="ms",
            floor=floor,
            aim=aim,
            judged="product",
            measure=partial(_measure, ask=ask, on_sqlite=on_sqlite),
            options=_SEARCHED if name == "search" and not on_sqlite else _MILLION,
            needs_postgres=not on_sqlite,
        )
    flat: tuple[tuple[str, str, Ask], ...] = (
        ("overdue-flat", "overdue pages", lambda _: overdue_pages()),
        ("history-flat", "the history of one complaint and a page of the feed", _histories),
    )
    for name, measures, ask in flat:
        yield Row(
            name=f"{name}{service}",
            measures=f"{measures}: p95 by that on few complaints, the worst of them",
            unit="ms",
            floor=1.5,
            aim=1.1,
            measure=partial(_compare, ask=ask, on_sqlite=on_sqlite),
            options={**_MILLION, "baseline": 10_000},
            needs_postgres=not on_sqlite,
        )


QUERIES = (*_rows(on_sqlite=False), *_rows(on_sqlite=True))
