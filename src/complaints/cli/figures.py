"""The commands `figures …`."""

from concurrent.futures.process import BrokenProcessPool
from typing import Annotated

import typer

from complaints.cli.console import err, open_service, out

figures_app = typer.Typer(help="The facts that figures count.", no_args_is_help=True)


@figures_app.command(epilog="Example: complaints figures rebuild")
def rebuild(
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Write the facts of all complaints again, from the beginning of the history. Servers may run meanwhile.

    A rebuild that was cut off goes on where it was. On a database that was never served, it makes all facts.
    """
    from rich.progress import Progress, TextColumn

    from complaints import wiring

    work = wiring.open_annexes().find_command("rebuild_figures")
    counter = TextColumn("{task.completed} events read")
    # Without a thread that refreshes it: the rebuild forks, and a thread could hold a lock at that moment.
    shown = Progress(counter, console=err, transient=True, auto_refresh=False, disable=quiet)
    with open_service() as service, shown as progress:
        task = progress.add_task("Rebuilding", total=None)
        try:
            work(service, lambda count: progress.update(task, completed=count, refresh=True))
        except BrokenProcessPool as error:
            err.print(
                "A process of the rebuild was killed. Did memory run out? The same command goes on where it was."
            )
            raise typer.Exit(1) from error
    out.print("The facts of figures are rebuilt.")
