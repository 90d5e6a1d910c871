"""The command of the benchmarks: `python3 dev.py bench [ROW...]`."""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks import session

RESULTS = Path("benchmarks/results")
POSTGRES_VARIABLE = "COMPLAINTS_BENCH_POSTGRES_URL"
EXAMPLES = (
    "Examples: dev.py bench (lists the rows); dev.py bench intake --postgres postgresql://db/empty; "
    "dev.py bench storm --set deadlines=20000 --runs 1; dev.py bench intake --base ../before --runs 7"
)


def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[ROW]...", help="Rows, or `all`.")] = None,
    postgres: Annotated[
        str | None,
        typer.Option(
            envvar=POSTGRES_VARIABLE,
            help="An empty database on a server to measure with; without it a server is started.",
        ),
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
    base: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            exists=True,
            help="Another checkout: each run is made there and here, and the results go to one file, by default "
            f"{RESULTS}/comparison.json.",
        ),
    ] = None,
) -> None:
    """Measure rows of the speed table: each limit and the product in the same run. Without ROW, list them."""
    request = session.BenchRequest(
        names or [], settings or [], postgres=postgres, runs=runs, json_file=json_file, base=base
    )
    session.measure(request, results=RESULTS)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command(epilog=EXAMPLES)(bench)

if __name__ == "__main__":
    app()
