"""An export of many complaints: how long it takes in each format, and how much the server grows meanwhile."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

from benchmarks.context import BenchContext
from benchmarks.errors import CannotMeasure
from benchmarks.filled_database import FilledDatabase, filled_database
from benchmarks.measures.measure import Cost, Measurement, Row
from benchmarks.processes import Process

_LOOK_SECONDS = 0.1
_READ_BYTES = 1 << 20
_PATIENCE_SECONDS = 1800
_MEGABYTE = 1_000_000
_FORMATS = {"ndjson": (120.0, 60.0), "csv": (120.0, 60.0), "xlsx": (360.0, 180.0)}


def measure_export(context: BenchContext, *, file_format: str) -> Measurement:
    """Seconds until the last byte is read. Nothing of it is kept."""
    filled = filled_database(context, context.options["complaints"], on_sqlite=False)
    _read(filled, "/v1/exports?format=xlsx&number=C000000013")  # loads what a first export loads
    before, used = filled.server.memory_bytes, filled.server.cpu_seconds
    began = time.perf_counter()
    with _watched(filled.server) as seen:
        size = _read(filled, f"/v1/exports?format={file_format}")
    seconds = time.perf_counter() - began
    used = round(filled.server.cpu_seconds - used, 1)
    grown = round((max(seen) - before) / _MEGABYTE, 1)
    return Measurement(seconds, details={"grown_mb": grown, "bytes": size, "cpu_seconds": used})


def _read(filled: FilledDatabase, path: str) -> int:
    """The number of bytes of the answer, on a connection of its own: one that was idle long may be closed."""
    client = http.client.HTTPConnection(filled.client.host, filled.client.port, timeout=_PATIENCE_SECONDS)
    with closing(client):
        client.request("GET", path, headers=filled.headers)
        answer, size = client.getresponse(), 0
        if answer.status != http.HTTPStatus.OK:
            raise CannotMeasure(f"{path} was answered with {answer.status}: {answer.read(300)!r}")
        while part := answer.read(_READ_BYTES):
            size += len(part)
    return size


@contextmanager
def _watched(server: Process) -> Iterator[list[int]]:
    """The memory of the server, looked at again and again."""
    seen, ended = [server.memory_bytes], threading.Event()

    def watch() -> None:
        while not ended.wait(_LOOK_SECONDS):
            seen.append(server.memory_bytes)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def _row(file_format: str, floor: float, aim: float) -> Row:
    return Row(
        name=f"export-{file_format}",
        measures=f"an export as {file_format}, from the request to the last byte",
        unit="s",
        floor=floor,
        aim=aim,
        judged="product",
        measure=partial(measure_export, file_format=file_format),
        options={"complaints": 200_000},
        cost=Cost("growth of the server", "MB", lambda details: float(details["grown_mb"]), floor=60, aim=30),
        only_by_name=True,
    )


EXPORTS = tuple(_row(name, *limits) for name, limits in _FORMATS.items())
