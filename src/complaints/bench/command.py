"""`complaints bench`: measure rows of the speed table, show them, and keep them as JSON."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from complaints.bench.context import BenchContext
from complaints.bench.databases import refuse_used
from complaints.bench.errors import CannotMeasure
from complaints.bench.machine import machine_facts
from complaints.bench.report import show, write_json
from complaints.bench.row import Result, Row
from complaints.bench.rows import ROWS

RESULTS = Path("benchmarks/results")
POSTGRES_VARIABLE = "COMPLAINTS_BENCH_POSTGRES_URL"
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

EXAMPLES = (
    "Examples: complaints bench (lists the rows); complaints bench intake --postgres postgresql://db/empty; "
    "complaints bench storm --set deadlines=20000 --runs 1"
)


def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[ROW]...", help="Rows, or `all`.")] = None,
    postgres: Annotated[
        str | None,
        typer.Option(envvar=POSTGRES_VARIABLE, help="An empty database on a server to measure with."),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="How often each row is run.")] = 3,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=NUMBER", help="An option of the rows; see the list."),
    ] = None,
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json", help=f"Where the result of one row goes; by default {RESULTS}/ROW.json, if there."
        ),
    ] = None,
) -> None:
    """Measure rows of the speed table: each limit and the product in the same run. Without ROW, list them."""
    if not names:
        _list_rows()
        return
    rows = _named(names)
    if json_file is not None and len(rows) > 1:
        raise typer.BadParameter("--json takes the result of one row.")
    options = _options(rows, settings or [])
    try:
        if postgres is not None:
            refuse_used(postgres)
        _run_all(rows, options, postgres=postgres, runs=runs, json_file=json_file)
    except CannotMeasure as reason:
        err.print(str(reason), markup=False)
        raise typer.Exit(1) from reason


def _list_rows() -> None:
    listed = Table("Row", "Floor", "Aim", "Measures", "Options", box=None)
    for row in ROWS.values():
        options = " ".join(f"{name}={value}" for name, value in row.options.items())
        listed.add_row(row.name, f"{row.floor:g}", f"{row.aim:g}", f"{row.measures} ({row.unit})", options)
    out.print(listed)


def _named(names: list[str]) -> list[Row]:
    wanted = list(ROWS) if names == ["all"] else names
    unknown = [name for name in wanted if name not in ROWS]
    if unknown:
        raise typer.BadParameter(f"There is no row {unknown[0]!r}. There are: {', '.join(ROWS)}.")
    return [ROWS[name] for name in wanted]


def _options(rows: list[Row], settings: list[str]) -> dict[str, int]:
    given = {}
    for text in settings:
        name, _, value = text.partition("=")
        if not value.isdecimal():
            raise typer.BadParameter(f"--set takes NAME=NUMBER, not {text!r}.")
        if not any(name in row.options for row in rows):
            raise typer.BadParameter(f"None of these rows has an option {name!r}.")
        given[name] = int(value)
    return given


def _run_all(
    rows: list[Row], given: Mapping[str, int], *, postgres: str | None, runs: int, json_file: Path | None
) -> None:
    machine = machine_facts(postgres)
    with tempfile.TemporaryDirectory(prefix="complaints-bench-") as directory:
        context = BenchContext(Path(directory), postgres, tell=lambda text: err.print(text, markup=False))
        try:
            for row in rows:
                result = run_row(row, context, given, runs=runs)
                show(out, result)
                if path := json_file or (RESULTS / f"{row.name}.json" if RESULTS.is_dir() else None):
                    write_json(result, machine, path)
        finally:
            context.close()


def run_row(row: Row, context: BenchContext, given: Mapping[str, int], *, runs: int) -> Result:
    """Run one row `runs` times, with its own options where `given` has no others."""
    options = {name: given.get(name, default) for name, default in row.options.items()}
    own = context.with_options(options)
    measured = []
    for n in range(1, runs + 1):
        context.tell(f"{row.name}: run {n} of {runs}")
        measured.append(row.measure(own))
    return Result(row, measured, options)
