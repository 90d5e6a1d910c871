"""The command `migrate`."""

from typing import Annotated

import typer

from complaints.cli.console import describe_first_key, out, read_settings


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
