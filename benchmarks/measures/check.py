"""`complaints check` over many complaints: how long it takes, and how much memory its processes have at once."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event

from sqlalchemy import text

from benchmarks.context import BenchContext
from benchmarks.errors import CannotMeasure
from benchmarks.filled_database import FilledDatabase, filled_database
from benchmarks.measures.measure import Cost, Measurement, Row
from benchmarks.proc import family_memory_bytes
from benchmarks.processes import product_environment, running
from complaints.use_cases.upkeep.sweep import sweep_once

_LOOK_SECONDS = 0.1
_SWEEP_SECONDS = 5.0
_MEGABYTE = 1_000_000


def measure_check(context: BenchContext, *, on_sqlite: bool) -> Measurement:
    """Seconds of the whole command, which must find nothing wrong."""
    filled = filled_database(context, context.options["complaints"], on_sqlite=on_sqlite)
    with _without_figures(filled), _sweeping(filled):
        return time_command(context, filled, ["check"])


@contextmanager
def _without_figures(filled: FilledDatabase) -> Iterator[None]:
    """The data of a benchmark have no facts of figures: until the end of the block, nobody says that they have."""
    move = text("UPDATE follower SET after = :after WHERE name = 'reports'")
    with filled.service.database.engine.begin() as connection:
        last = connection.scalar(text("SELECT after FROM follower WHERE name = 'reports'"))
        connection.execute(move, {"after": 0})
    try:
        yield
    finally:
        with filled.service.database.engine.begin() as connection:
            connection.execute(move, {"after": last})


@contextmanager
def _sweeping(filled: FilledDatabase) -> Iterator[None]:
    """Until the end of the block, take what falls due, as a worker does: `check` reports what is a minute late."""
    ended = Event()

    def sweep() -> None:
        while sweep_once(filled.service).claimed:
            pass

    def go_on() -> None:
        while not ended.wait(_SWEEP_SECONDS):
            sweep()

    sweep()
    with ThreadPoolExecutor(1) as worker:
        swept = worker.submit(go_on)
        try:
            yield
        finally:
            ended.set()
        swept.result()


def time_command(context: BenchContext, filled: FilledDatabase, words: Sequence[str]) -> Measurement:
    """Seconds of a whole command of `complaints`, which must succeed, and the memory of its processes at once."""
    filled.client.close()  # the server ends an idle connection before a long command does
    directory = context.new_directory()
    environment = product_environment(directory, filled.url)
    peak, began = 0, time.perf_counter()
    with running(["complaints", *words], directory, environment) as command:
        while (status := command.popen.poll()) is None:
            peak = max(peak, family_memory_bytes(command.popen.pid))
            time.sleep(_LOOK_SECONDS)
        seconds = time.perf_counter() - began
    if status:
        said = command.log.read_text(encoding="utf-8")[-3000:]
        raise CannotMeasure(f"The command {words[0]} failed:\n{said}")
    return Measurement(seconds, details={"peak_mb": round(peak / _MEGABYTE, 1)})


def memory_cost(*, floor: float, aim: float) -> Cost:
    """The memory of all processes of a command at once."""
    return Cost(
        "memory of all its processes", "MB", lambda details: float(details["peak_mb"]), floor=floor, aim=aim
    )


def _row(name: str, *, on_sqlite: bool) -> Row:
    return Row(
        name=name,
        measures="`complaints check`, from its start to its end",
        unit="s",
        floor=600,
        aim=200,
        judged="product",
        measure=partial(measure_check, on_sqlite=on_sqlite),
        options={"complaints": 1_000_000},
        needs_postgres=not on_sqlite,
        cost=memory_cost(floor=300, aim=200),
    )


CHECK, CHECK_SQLITE = _row("check", on_sqlite=False), _row("check-sqlite", on_sqlite=True)
