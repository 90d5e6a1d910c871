"""The command `policy simulate`."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from complaints.cli.console import AsJson, err, open_service, out, print_aligned
from complaints.cli.written_files import opened_for_writing

if TYPE_CHECKING:
    from complaints.domain.simulation.comparison import SimulationFigures
    from complaints.use_cases.service import Service
    from complaints.use_cases.simulation.simulating import Simulation

_DATE = ["%Y-%m-%d"]
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def policy_simulate(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    from_on: Annotated[
        datetime, typer.Option("--from", formats=_DATE, help="Complaints received on this date or later.")
    ],
    to_on: Annotated[
        datetime, typer.Option("--to", formats=_DATE, help="Complaints received before this date.")
    ],
    rows: Annotated[
        str | None,
        typer.Option("--rows", help="Write the facts behind the numbers to this file, as NDJSON."),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="How many processes simulate; else one for each processor."),
    ] = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print one CSV table instead of tables.")] = False,
) -> None:
    """Show what complaints of the past would have looked like under another policy. Nothing is changed.

    The dates are local dates of the zone of the policy.
    """
    from complaints.use_cases.simulation import simulating
    from complaints.wiring import read_text

    if as_json and as_csv:
        raise typer.BadParameter("Give --json or --csv, not both.", param_hint="--csv")
    text = read_text(file)
    with open_service() as service:
        simulation = service.read(
            lambda tx: simulating.prepare(service, tx, text, from_on=from_on.date(), to_on=to_on.date())
        )
        for warning in simulation.warnings:
            err.print(f"warning: {warning.message}")
        figures = _run(service, simulation, processes or os.cpu_count() or 1, rows)
    if as_json:
        from complaints.domain.json_text import encode

        sys.stdout.write(encode(_document(simulation, figures)).decode() + "\n")
    elif as_csv:
        from complaints.use_cases.table_files.csv_text import write_lines

        sys.stdout.write(write_lines(_lines(figures)))
    else:
        _print_tables(figures)
    for remark in _remarks(simulation, figures):
        err.print(remark)


def _run(
    service: "Service", simulation: "Simulation", processes: int, rows: str | None
) -> "SimulationFigures":
    """The figures of all complaints. Their facts go to the file `rows`."""
    from rich.progress import Progress

    from complaints.domain.simulation.comparison import SimulationFigures
    from complaints.use_cases.simulation import simulating

    figures = SimulationFigures()
    with ExitStack() as opened:
        file = opened.enter_context(opened_for_writing(rows, hint="--rows")) if rows else None
        # Without a thread that refreshes it: the simulation forks, and a thread could hold a lock at that moment.
        progress = opened.enter_context(Progress(console=err, transient=True, auto_refresh=False))
        task = progress.add_task("Simulating", total=None)
        for done in simulating.simulate(service, simulation, processes=processes, with_rows=file is not None):
            figures.add(done.figures)
            progress.update(task, advance=done.figures.complaints, refresh=True)
            if file is not None:
                file.write(done.rows)
    return figures


def _lines(figures: "SimulationFigures") -> Iterator[list[str]]:
    """The figures as lines of one table, with their head."""
    yield ["figure", "name", "member", "value"]
    for figure, by_name in figures.tables().items():
        for name, members in by_name.items():
            for member, value in members.items():
                yield [figure, name, member, "" if value is None else str(value)]


def _document(simulation: "Simulation", figures: "SimulationFigures") -> dict[str, Any]:
    return {
        "policy": simulation.policy.code,
        "received_from": simulation.period.since,
        "received_to": simulation.period.until,
        "as_of": simulation.terms.until,
        "staff_known_since": simulation.terms.staff.known_since,
        **figures.tables(),
    }


_TITLES = {
    "breaches": "Breaches by kind",
    "escalations": "Escalations by level",
    "persons": "Escalations by person",
    "due_times": "Due times by kind",
    "not_possible": "Actions that are not possible under this policy",
    "complaints": "Complaints",
}


def _print_tables(figures: "SimulationFigures") -> None:
    for figure, by_name in figures.tables().items():
        if not by_name:
            continue
        names = list(next(iter(by_name.values())))
        head = [_TITLES[figure], *(name.replace("_", " ") for name in names)]
        lines = [[name, *(_spoken(*pair) for pair in members.items())] for name, members in by_name.items()]
        print_aligned([head, *lines])
        out.print()


def _spoken(name: str, value: float | None) -> str:
    if name != "median_shift_seconds":
        return str(value)
    return "" if value is None else _spoken_time(value)


def _spoken_time(seconds: float) -> str:
    """A time in its two largest units, such as `-2d 4h`."""
    rest, parts = round(abs(seconds)), []
    for size, unit in _UNITS:
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number}{unit}")
    return ("-" if seconds < 0 else "+") + " ".join(parts[:2])


def _remarks(simulation: "Simulation", figures: "SimulationFigures") -> Iterator[str]:
    """What limits the simulation."""
    known_since = simulation.terms.staff.known_since
    if simulation.period.since < known_since:
        yield (
            f"Changes of the staff before {known_since.isoformat()} are not known: "
            "escalations of that time go to the staff as it was at this instant."
        )
    counts: Mapping[str, int] = {
        "Complaints that keep their policy, because this one would not be chosen for them": figures.kept,
        "Complaints left out, because a month with their beginning was detached": figures.left_out[
            "history_detached"
        ],
        "Complaints left out, because their history makes no sense": figures.left_out["not_readable"],
        "Complaints followed only as far as the engine came (is a worker running?)": figures.behind,
        "Assignments by policy that could not be made again, so the assignee is not known": figures.assignments_left,
    }
    for remark, count in counts.items():
        if count:
            yield f"{remark}: {count}."
