"""`complaints bench`: the command. What it does stands in `session`, imported when it is called."""

from pathlib import Path
from typing import Annotated

import typer

RESULTS = Path("benchmarks/results")
POSTGRES_VARIABLE = "COMPLAINTS_BENCH_POSTGRES_URL"
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
    from complaints.bench import session  # here, so that `serve` starts without it

    asked = session.Asked(names or [], settings or [], postgres=postgres, runs=runs, json_file=json_file)
    session.measure(asked, results=RESULTS)
