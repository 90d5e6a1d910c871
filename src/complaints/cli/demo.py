"""The command `demo`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from complaints.cli.console import describe_first_key, err, out, read_settings
from complaints.serving.process import collector_at_rest, collector_off

if TYPE_CHECKING:
    from complaints.use_cases.demo.filling import QuarterPlan
    from complaints.use_cases.service import Service


def demo(
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes another quarter.")] = 1,
    complaints: Annotated[int, typer.Option(help="How many complaints the quarter has.")] = 10_000,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day of the quarter, in China; else it ends now."),
    ] = None,
) -> None:
    """Fill an empty database with a made-up quarter of a carrier: people, complaints, and all that became of them.

    A database that does not exist is made. One that has complaints is refused. All is written, or nothing.
    """
    with collector_at_rest():
        from complaints import wiring
        from complaints.use_cases.demo.filling import QuarterPlan, check_plan, end_of_quarter

    settings = read_settings(default_level="error")
    ends = end_of_quarter(until.date()) if until else None
    if not settings.sandbox:  # a sandbox has its clock in its database
        wall_now = wiring.wall_now()
        check_plan(QuarterPlan(seed, complaints, ends or wall_now), wall_now)
    service, first_key = wiring.prepare(settings)
    try:
        err.print(f"Database: {wiring.name_of(service.database)}")
        now = service.read(lambda tx: tx.now).replace(microsecond=0)
        _fill(service, QuarterPlan(seed, complaints, ends or now))
        if until is None:
            _go_on(service)
    finally:
        service.close()
    if first_key:
        out.print("\n".join(describe_first_key(first_key)))


def _fill(service: "Service", plan: "QuarterPlan") -> None:
    from rich.progress import MofNCompleteColumn, Progress

    from complaints.use_cases.demo.filling import fill_quarter

    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=err) as progress:
        task = progress.add_task("Making up", total=plan.complaints)
        with collector_off():
            fill_quarter(service, plan, lambda count: progress.update(task, completed=count))
    days = f"{plan.begin:%Y-%m-%d} to {plan.until:%Y-%m-%d}"
    out.print(f"{plan.complaints} complaints of the seed {plan.seed}, received from {days}.")
    out.print("This database is marked as a demo. Serve it with `complaints serve`.")


def _go_on(service: "Service") -> None:
    """Do what fell due while the quarter was made."""
    from complaints.use_cases.upkeep.sweep import sweep_once

    while sweep_once(service).claimed:
        pass
