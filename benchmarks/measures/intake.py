"""Intake: POSTs of complaints, durable, beside POSTs of the same bodies to an application with nothing behind."""

import http.client
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import psycopg

from benchmarks.context import BenchContext
from benchmarks.databases import plain_url, server_cpu_seconds
from benchmarks.errors import CannotMeasure
from benchmarks.load import BodyOf, Load, posts, put_load
from benchmarks.measures.measure import Cost, Measurement, Row
from benchmarks.processes import SECRET, Process, serving, serving_bare

PATH = "/v1/complaints"
_ROUNDS = 2
_WARM_UP = 0.2  # of the measured load, before it
_COUNT = "SELECT count(*) FROM complaint WHERE external_id LIKE "


class IntakeSide:
    """One side of the comparison: its processes, and the load they took.

    It posts to `path`; `body_of` writes a complaint in the form that is taken there.
    """

    def __init__(
        self,
        processes: Sequence[Process],
        *,
        connections: int,
        url: str | None = None,
        path: str = PATH,
        body_of: BodyOf = lambda body: body,
    ) -> None:
        self.processes = processes
        self.ports = [process.port() for process in processes]
        self.mark = uuid4().hex[:8]
        self.templates = posts(path, mark=self.mark, secret=SECRET, body_of=body_of)
        self.connections = connections
        self.loads: list[Load] = []
        self.cpu_seconds = [0.0] * len(processes)
        self.database_cpu_seconds = 0.0
        self._url = url
        self._number = 0
        self.accepted_ever = 0

    def warm_up(self, **bounds: Any) -> None:
        """Load that is not measured."""
        self._put(**bounds)

    def take(self, *, seconds: float, requests: int | None = None) -> None:
        """Load that is measured."""
        before = [process.cpu_seconds for process in self.processes]
        database = self._database_cpu()
        self.loads.append(self._put(seconds=seconds, **({"requests": requests} if requests else {})))
        after = [process.cpu_seconds for process in self.processes]
        taken = zip(self.cpu_seconds, before, after, strict=True)
        self.cpu_seconds = [total + end - start for total, start, end in taken]
        self.database_cpu_seconds += self._database_cpu() - database

    def _put(self, **bounds: Any) -> Load:
        load = put_load(
            self.ports, self.templates, connections=self.connections, first_number=self._number, **bounds
        )
        self._number += sum(load.statuses.values())
        self.accepted_ever += load.accepted
        return load

    def _database_cpu(self) -> float:
        return server_cpu_seconds(self._url) if self._url else 0.0

    @property
    def accepted(self) -> int:
        """How many measured requests were accepted."""
        return sum(load.accepted for load in self.loads)

    @property
    def failed(self) -> int:
        """How many were not."""
        return sum(load.failed for load in self.loads)

    @property
    def per_second(self) -> float:
        """Accepted requests a second."""
        return self.accepted / sum(load.seconds for load in self.loads)

    @property
    def p50_ms(self) -> float:
        """The median of the slices' medians."""
        return median(load.p50_ms for load in self.loads)

    def details(self) -> dict[str, Any]:
        """Details for the report."""
        return {
            "accepted": self.accepted,
            "failed": self.failed,
            "statuses": [load.statuses for load in self.loads],
            "first_refusal": next((load.refusal for load in self.loads if load.refusal), ""),
            "per_second": [round(load.accepted / load.seconds) for load in self.loads],
            "p50_ms": [round(load.p50_ms, 3) for load in self.loads],
            "p95_ms": [round(load.p95_ms, 3) for load in self.loads],
            "p99_ms": [round(load.p99_ms, 3) for load in self.loads],
            "cpu_seconds_per_process": [round(seconds, 2) for seconds in self.cpu_seconds],
            "cpu_ms_per_request": round(1000 * sum(self.cpu_seconds) / self.accepted, 3),
            "database_cpu_ms_per_request": round(1000 * self.database_cpu_seconds / self.accepted, 3),
            "generator_cpu_seconds": round(sum(load.cpu_seconds for load in self.loads), 2),
        }


def _compared(context: BenchContext, url: str | None, directory: Path, *, processes: int) -> Measurement:
    """POST/s of both, in slices that take turns."""
    seconds, connections = context.options["seconds"], context.options["concurrency"]
    with (
        serving_bare(processes, directory) as bare_processes,
        serving(processes, directory, url, scheduler=url is None) as product_processes,
    ):
        bare = IntakeSide(bare_processes, connections=connections)
        product = IntakeSide(product_processes, connections=connections, url=url)
        for side in (bare, product):
            side.warm_up(seconds=_WARM_UP * seconds)
        for _ in range(_ROUNDS):
            bare.take(seconds=seconds / _ROUNDS)
            product.take(seconds=seconds / _ROUNDS)
        batches = batch_metrics(product.ports)
    verify_stored(product, url, directory)
    for side in (bare, product):
        if side.failed:
            context.tell(
                f"{side.failed} requests were refused and do not count: {side.loads[0].refusal[:500]}"
            )
    details = {"limit": bare.details(), "product": product.details(), "batches": batches}
    return Measurement(product.per_second, bare.per_second, details)


def verify_stored(side: IntakeSide, url: str | None, directory: Path) -> None:
    """Every acknowledged complaint is in the database."""
    pattern = f"'CRM-{side.mark}-%'"
    if url is None:
        with sqlite3.connect(directory / "complaints.db") as connection:
            (stored,) = connection.execute(_COUNT + pattern).fetchone()
        connection.close()
    else:
        with psycopg.connect(plain_url(url)) as server:
            row = server.execute(_COUNT.encode() + pattern.encode()).fetchone()
        stored = row[0] if row else 0
    if stored < side.accepted_ever:
        raise CannotMeasure(f"{side.accepted_ever} complaints were acknowledged, {stored} are stored.")


def batch_metrics(ports: Sequence[int]) -> dict[str, float]:
    """What the servers tell of the sizes of their batches, added up, where they tell anything."""
    found: dict[str, float] = {}
    for port in ports:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        for line in text.splitlines():
            name, _, value = line.rpartition(" ")
            if "batch" in name and name.endswith(("_sum", "_count")):
                found[name] = found.get(name, 0.0) + float(value)
    return found


def measure_intake(context: BenchContext) -> Measurement:
    """Intake on PostgreSQL by several processes."""
    with context.own_database() as url:
        return _compared(context, url, context.new_directory(), processes=context.options["processes"])


def measure_embedded(context: BenchContext) -> Measurement:
    """Intake on SQLite by the one process there is, its loops running."""
    return _compared(context, None, context.new_directory(), processes=1)


# One at a time -----------------------------------------------------------------------------------------------------


def measure_one(context: BenchContext) -> Measurement:
    """The time of a POST with nobody else about, beside a bare POST and one commit."""
    requests, directory = context.options["requests"], context.new_directory()
    commits: list[float] = []
    with (
        context.own_database() as url,
        serving_bare(1, directory) as bare_processes,
        serving(1, directory, url) as product_processes,
    ):
        bare = IntakeSide(bare_processes, connections=1)
        product = IntakeSide(product_processes, connections=1, url=url)
        for side in (bare, product):
            side.warm_up(requests=max(1, int(_WARM_UP * requests)))
        for _ in range(_ROUNDS):
            bare.take(seconds=60, requests=requests // _ROUNDS)
            commits.append(_commit_ms(url, requests // _ROUNDS))
            product.take(seconds=60, requests=requests // _ROUNDS)
    details = {"commit_ms": commits, "limit": bare.details(), "product": product.details()}
    return Measurement(product.p50_ms, bare.p50_ms + median(commits), details)


def _commit_ms(url: str, count: int) -> float:
    """The median time of a transaction that inserts one small row."""
    taken = []
    with psycopg.connect(plain_url(url), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bench_commit (id bigint PRIMARY KEY, told text)")
        connection.execute("TRUNCATE bench_commit")
        for number in range(count):
            started = time.perf_counter()
            with connection.transaction():
                connection.execute("INSERT INTO bench_commit VALUES (%s, %s)", [number, "No signal"])
            taken.append(time.perf_counter() - started)
    return median(taken) * 1000


def _cpu_of_post(details: Mapping[str, Any]) -> float:
    product = details["product"]
    return float(product["cpu_ms_per_request"] + product["database_cpu_ms_per_request"])


_CPU = "processor time of a post, servers and database"
INTAKE = Row(
    name="intake",
    measures="POST /v1/complaints on PostgreSQL, two processes, beside a bare FastAPI POST of the same body",
    unit="POST/s",
    floor=0.24,
    aim=0.33,
    measure=measure_intake,
    options={"seconds": 10, "concurrency": 64, "processes": 2},
    cost=Cost(_CPU, "ms", _cpu_of_post, floor=0.60, aim=0.48),
)
INTAKE_128 = Row(
    name="intake-128",
    measures="the same by 128 connections",
    unit="POST/s",
    floor=0.28,
    aim=0.38,
    measure=measure_intake,
    options={"seconds": 10, "concurrency": 128, "processes": 2},
    cost=Cost(_CPU, "ms", _cpu_of_post),
)
INTAKE_ONE = Row(
    name="intake-one",
    measures="POST /v1/complaints one at a time on PostgreSQL, p50, beside a bare POST plus one commit",
    unit="ms",
    floor=3.5,
    aim=2.5,
    measure=measure_one,
    options={"requests": 1000},
    cost=Cost(_CPU, "ms", _cpu_of_post),
)
INTAKE_SQLITE = Row(
    name="intake-sqlite",
    measures="POST /v1/complaints embedded (synchronous=FULL), one process, beside a bare FastAPI POST",
    unit="POST/s",
    floor=0.27,
    aim=0.33,
    measure=measure_embedded,
    options={"seconds": 10, "concurrency": 64},
    cost=Cost(_CPU, "ms", _cpu_of_post),
    needs_postgres=False,
)
