"""What one process takes: memory as it serves on and on, time to start, and processor time while nobody asks."""

import http.client
import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.context import BenchContext
from benchmarks.errors import CannotMeasure
from benchmarks.load import get, posts, put_load
from benchmarks.measures.measure import Measurement, Row
from benchmarks.processes import SECRET, Process, is_ready, product_environment, running, serving

_READ = 40
_MEGABYTE = 1_000_000
_SLICES = 5


def measure_memory(context: BenchContext) -> Measurement:
    """How much the resident set of a server grows over mixed requests, once it is warm."""
    with context.own_database() as url, serving(1, context.new_directory(), url) as [server]:
        templates = _mixed(server)
        number = _serve(server, templates, context.options["warm_up"], _READ)
        before = server.memory_bytes
        seen = [before]
        for _ in range(_SLICES):
            number = _serve(server, templates, context.options["requests"] // _SLICES, number)
            seen.append(server.memory_bytes)
    megabytes = [round(count / _MEGABYTE, 1) for count in seen]
    return Measurement((seen[-1] - before) / _MEGABYTE, details={"resident_mb": megabytes})


def _serve(server: Process, templates: list[bytes], requests: int, number: int) -> int:
    """Have it answer that many; the number of the next request."""
    load = put_load([server.port()], templates, connections=16, requests=requests, first_number=number)
    if load.failed:
        raise CannotMeasure(f"{load.failed} requests were refused: {load.statuses} {load.refusal}")
    return number + requests


def _mixed(server: Process) -> list[bytes]:
    """As many reads as posts: single complaints, lists, histories and choices."""
    mark = uuid4().hex[:8]
    written = posts("/v1/complaints", mark=mark, secret=SECRET)
    put_load([server.port()], written, connections=1, requests=_READ)
    ids = [item["id"] for item in _listed(server)]
    paths = [f"/v1/complaints/{one}{rest}" for one in ids for rest in ("", "/timeline", "/transitions")]
    paths += [
        "/v1/complaints?limit=20",
        "/v1/complaints?status=received&limit=20",
        "/v1/complaints?overdue=true&limit=20",
    ]
    read = [get(path, secret=SECRET) for path in paths]
    return [template for pair in zip(written, read * 10, strict=False) for template in pair]


def _listed(server: Process) -> list[dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port(), timeout=30)
    connection.request("GET", f"/v1/complaints?limit={_READ}", headers={"Authorization": f"Bearer {SECRET}"})
    items: list[dict[str, Any]] = json.loads(connection.getresponse().read())["items"]
    connection.close()
    return items


# Start -------------------------------------------------------------------------------------------------------------


def measure_start(context: BenchContext) -> Measurement:
    """Seconds from the start of `complaints serve` to its first ready answer; embedded, and set up before."""
    directory: Path = context.keep("embedded", lambda: _SetUp(context.new_directory()))
    started = time.perf_counter()
    with running(
        ["complaints", "serve"], directory, product_environment(directory, None, scheduler=True)
    ) as server:
        port = server.port()
        listening = time.perf_counter() - started
        while not is_ready(port):
            time.sleep(0.005)
        seconds = time.perf_counter() - started
        cpu = server.cpu_seconds
    return Measurement(seconds, details={"listening_seconds": listening, "cpu_seconds": cpu})


class _SetUp:
    """A data directory in which the product has run before, so that nothing is left to be made."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __enter__(self) -> Path:
        with serving(1, self._directory, scheduler=True):
            return self._directory

    def __exit__(self, *_: object) -> None:
        """The directory goes with the benchmark's own."""


# Idle --------------------------------------------------------------------------------------------------------------


def measure_idle(context: BenchContext) -> Measurement:
    """The share of a processor that a server takes while nobody asks anything; embedded, with all its loops."""
    with serving(1, context.new_directory(), scheduler=True) as [server]:
        time.sleep(context.options["warm_up"])
        used, begun = server.cpu_seconds, time.perf_counter()
        time.sleep(context.options["seconds"])
        share = (server.cpu_seconds - used) / (time.perf_counter() - begun)
    return Measurement(100 * share)


MEMORY = Row(
    name="memory",
    measures="growth of one server's resident set over mixed requests, after a warm-up",
    unit="MB",
    floor=10,
    aim=5,
    judged="product",
    measure=measure_memory,
    options={"requests": 100_000, "warm_up": 5_000},
)
START = Row(
    name="start",
    measures="cold start to ready, embedded, already set up",
    unit="s",
    floor=2,
    aim=1,
    judged="product",
    measure=measure_start,
    needs_postgres=False,
)
IDLE = Row(
    name="idle",
    measures="processor time of a server without requests, embedded, with all annexes",
    unit="% of a processor",
    floor=0.3,
    aim=0.2,
    judged="product",
    measure=measure_idle,
    options={"seconds": 60, "warm_up": 20},
    needs_postgres=False,
)
