"""`complaints policy simulate` over many complaints: how long it takes, and how much memory it has at once."""

from functools import partial
from importlib.resources import as_file, files

from benchmarks.context import BenchContext
from benchmarks.filled_database import filled_database
from benchmarks.measures.check import memory_cost, time_command
from benchmarks.measures.measure import Measurement, Row


def measure_simulation(context: BenchContext, *, on_sqlite: bool) -> Measurement:
    """Seconds of the whole command. It simulates the policy of working hours in place of the handbook."""
    filled = filled_database(context, context.options["complaints"], on_sqlite=on_sqlite)
    with as_file(files("complaints").joinpath("policies", "working-hours.yaml")) as document:
        words = ["policy", "simulate", str(document), "--from", "2000-01-01", "--to", "2100-01-01", "--json"]
        return time_command(context, filled, words)


def _row(name: str, *, on_sqlite: bool) -> Row:
    return Row(
        name=name,
        measures="`complaints policy simulate`, from its start to its end",
        unit="s",
        floor=60,
        aim=45,
        judged="product",
        measure=partial(measure_simulation, on_sqlite=on_sqlite),
        options={"complaints": 100_000},
        needs_postgres=not on_sqlite,
        cost=memory_cost(floor=500, aim=300),
    )


SIMULATE, SIMULATE_SQLITE = _row("simulate", on_sqlite=False), _row("simulate-sqlite", on_sqlite=True)
