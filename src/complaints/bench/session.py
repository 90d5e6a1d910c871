"""One invocation of the benchmarks: rows are chosen, measured one after another, shown, and kept as JSON."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for, as written there."""

    names: list[str]
    settings: list[str]
    postgres: str | None
    runs: int
    json_file: Path | None


def measure(asked: Asked, *, results: Path) -> None:
    """Measure the rows asked for; without any, list all. Results go to the directory `results`, if it is there.

    Raises typer.BadParameter for what cannot be asked, typer.Exit where a row cannot be measured.
    """
    if not asked.names:
        _list_rows()
        return
    rows = _named(asked.names)
    if asked.json_file is not None and len(rows) > 1:
        raise typer.BadParameter("--json takes the result of one row.")
    options = _options(rows, asked.settings)
    try:
        if asked.postgres is not None:
            refuse_used(asked.postgres)
        _run_all(rows, options, asked, results)
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


def _run_all(rows: list[Row], given: Mapping[str, int], asked: Asked, results: Path) -> None:
    machine = machine_facts(asked.postgres)
    with tempfile.TemporaryDirectory(prefix="complaints-bench-") as directory:
        context = BenchContext(
            Path(directory), asked.postgres, tell=lambda text: err.print(text, markup=False)
        )
        try:
            if any(row.needs_postgres for row in rows):  # said now, and not after an hour
                context.require_postgres()
            for row in rows:
                result = run_row(row, context, given, runs=asked.runs)
                show(out, result)
                if path := asked.json_file or (results / f"{row.name}.json" if results.is_dir() else None):
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
