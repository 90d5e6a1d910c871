"""The commands `figures …`."""

from typing import Annotated

import typer

from complaints.cli.console import err, open_service, out

figures_app = typer.Typer(help="The facts that figures count.", no_args_is_help=True)


@figures_app.command(epilog="Example: complaints figures rebuild")
def rebuild(
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Write the facts of all complaints again, from the beginning of the history. Servers may run meanwhile.

    A rebuild that was cut off goes on where it was.
    """
    from rich.progress import Progress, TextColumn

    from complaints import wiring

    work = wiring.open_annexes().find_command("rebuild_figures")
    counter = TextColumn("{task.completed} events read")
    with open_service() as service, Progress(counter, console=err, transient=True, disable=quiet) as progress:
        task = progress.add_task("Rebuilding", total=None)
        work(service, lambda count: progress.update(task, completed=count))
    out.print("The facts of figures are rebuilt.")
