"""One invocation of the benchmarks: rows are chosen, measured one after another, shown, and kept as JSON."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.comparison import HEAD, commit_of, compare
from benchmarks.context import BenchContext
from benchmarks.databases import refuse_used
from benchmarks.errors import CannotMeasure
from benchmarks.machine import machine_facts
from benchmarks.measures.all import ROWS
from benchmarks.measures.measure import Result, Row
from benchmarks.report import as_json, show, show_comparison, write_json
from tests.postgres_server import PostgresUnavailable, serving

# As a server of this size would have them. Every setting that decides durability keeps PostgreSQL's default.
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB"}
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


@dataclass(frozen=True, slots=True)
class BenchRequest:
    """What the command line asks for, as written there."""

    names: list[str]
    settings: list[str]
    postgres: str | None
    runs: int
    json_file: Path | None
    base: Path | None


def measure(request: BenchRequest, *, results: Path) -> None:
    """Measure the rows asked for; without any, list all. Results go to the directory `results`, if it is there.

    Raises typer.BadParameter for a request that cannot be carried out, typer.Exit where a row cannot be measured.
    """
    if not request.names:
        _list_rows()
        return
    rows = _named(request.names)
    if request.json_file is not None and len(rows) > 1 and request.base is None:
        raise typer.BadParameter("--json takes the result of one row.")
    options = _options(rows, request.settings)
    try:
        with _server(rows, request) as url:
            found = replace(request, postgres=url)
            if request.base is None:
                _run_all(rows, options, found, results)
            else:
                _compare(rows, options, found, request.base, results)
    except (CannotMeasure, PostgresUnavailable) as reason:
        err.print(str(reason), markup=False)
        raise typer.Exit(1) from reason


@contextmanager
def _server(rows: list[Row], request: BenchRequest) -> Iterator[str | None]:
    """The URL of an empty database on the server named, or on a durable server that is started if rows need it."""
    if request.postgres is not None:
        refuse_used(request.postgres)
        yield request.postgres
    elif any(row.needs_postgres for row in rows):
        with serving(durable=True, settings=SETTINGS) as url:
            yield url
    else:
        yield None


def _list_rows() -> None:
    listed = Table("Row", "Floor", "Aim", "Measures", "Options", box=None)
    for row in ROWS.values():
        options = " ".join(f"{name}={value}" for name, value in row.options.items())
        listed.add_row(row.name, f"{row.floor:g}", f"{row.aim:g}", f"{row.measures} ({row.unit})", options)
        if row.cost is not None and row.cost.is_judged:
            listed.add_row(
                "", f"{row.cost.floor:g}", f"{row.cost.aim:g}", f"{row.cost.measures} ({row.cost.unit})"
            )
    out.print(listed)


def _named(names: list[str]) -> list[Row]:
    wanted = [row.name for row in ROWS.values() if not row.only_by_name] if names == ["all"] else names
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


def _run_all(rows: list[Row], given: Mapping[str, int], request: BenchRequest, results: Path) -> None:
    machine = machine_facts(request.postgres)
    with tempfile.TemporaryDirectory(prefix="complaints-bench-") as directory:
        context = BenchContext(
            Path(directory), request.postgres, tell=lambda text: err.print(text, markup=False)
        )
        try:
            for row in rows:
                result = run_row(row, context, given, runs=request.runs)
                show(out, result)
                if path := request.json_file or (results / f"{row.name}.json" if results.is_dir() else None):
                    write_json(as_json(result, machine), path)
        finally:
            context.close()


def _compare(
    rows: list[Row], given: Mapping[str, int], request: BenchRequest, base: Path, results: Path
) -> None:
    """Run each row in `base` and here in turn. One file has what came out of all."""
    compared = []
    for row in rows:
        found = compare(
            row,
            base,
            options_of(row, given),
            runs=request.runs,
            postgres=request.postgres,
            tell=lambda text: err.print(text, markup=False),
        )
        show_comparison(out, found)
        compared.append(found)
    if path := request.json_file or (results / "comparison.json" if results.is_dir() else None):
        facts = {"base": commit_of(base), "head": commit_of(HEAD), "machine": machine_facts(request.postgres)}
        write_json({"rows": [found.as_json() for found in compared], **facts}, path)


def options_of(row: Row, given: Mapping[str, int]) -> dict[str, int]:
    """The row's own options where `given` has no others."""
    return {name: given.get(name, default) for name, default in row.options.items()}


def run_row(row: Row, context: BenchContext, given: Mapping[str, int], *, runs: int) -> Result:
    """Run one row `runs` times, with its own options where `given` has no others."""
    options = options_of(row, given)
    own = context.with_options(options)
    measured = []
    for n in range(1, runs + 1):
        context.tell(f"{row.name}: run {n} of {runs}")
        measured.append(row.measure(own))
    return Result(row, measured, options)
