"""The commands about a whole database: `migrate` and `check`."""

from typing import Annotated

import typer

from complaints.cli.console import describe_first_key, err, open_service, out, read_settings


def migrate(
    force: Annotated[
        bool, typer.Option("--force", help="Also past running programs that the new schema does not allow.")
    ] = False,
) -> None:
    """Bring the database to the newest schema; a fresh one is filled with policy, categories and teams."""
    from complaints import wiring

    settings = read_settings(default_level="error")
    service, first_key, change = wiring.migrate_and_seed(settings, force=force)
    name = wiring.name_of(service.database)
    service.close()
    if change.before == change.after:
        out.print(f"{name} is at schema {change.after} already: nothing was migrated.")
    else:
        out.print(f"{name} was migrated from schema {change.before or 'none'} to {change.after}.")
    if first_key:
        out.print("\n".join(describe_first_key(first_key)))


def check() -> None:
    """Prove the invariants over the whole database and list every violation. Ends with status 1 if there is one."""
    from rich.progress import Progress
    from rich.table import Table

    from complaints import wiring
    from complaints.use_cases.upkeep.checks import Proof, count_to_check

    found = Table("Invariant", "Complaint", "What is wrong", box=None)
    annexes = wiring.open_annexes()
    with open_service() as service, Progress(console=err, transient=True) as progress:
        size = count_to_check(service)
        task = progress.add_task("Checking", total=size.complaints)
        proof = Proof()

        def note(batch: Proof) -> None:
            nonlocal proof
            proof += batch
            progress.advance(task, batch.complaints)

        for violation in wiring.check(service, annexes, progress=note):
            found.add_row(violation.invariant, violation.number, violation.message)
        checked = f"{proof} in {wiring.name_of(service.database)}"
    if found.row_count:
        out.print(found)
        out.print(f"Checked: {checked}.")
        raise typer.Exit(1)
    out.print(f"Every invariant holds. Checked: {checked}.")
    if size.cut_off:
        out.print(
            f"Of {size.cut_off} complaints that began in detached months only the rest of the history was looked at."
        )
