"""The command line. Every command says what it does and gives an example.

Imports stand inside the commands: `--help` answers quickly because it loads none of the product.
"""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from complaints.cli.checking import check
from complaints.cli.console import describe_fault, err, out
from complaints.cli.demo import demo
from complaints.cli.exporting import export
from complaints.cli.figures import figures_app
from complaints.cli.importing import import_file
from complaints.cli.keys import key_app
from complaints.cli.migrating import migrate
from complaints.cli.people import people_app
from complaints.cli.policies import policy_app
from complaints.cli.serving import serve, worker
from complaints.cli.staff import department_app, team_app, user_app
from complaints.domain.errors import ComplaintError

app = typer.Typer(
    name="complaints",
    help="Complaint ticketing and closed-loop workflow.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line. A refusal is printed without a stack trace and ends with status 1."""
    from complaints.serving.process import keep_files_private, raise_open_files_limit

    keep_files_private()
    raise_open_files_limit()
    try:
        app()
    except Exception as error:
        lines = _explain(error)
        if lines is None:
            raise
        err.print("\n".join(lines))
        sys.exit(1)


def _explain(error: Exception) -> list[str] | None:
    """Lines that explain an expected failure; None for an unexpected one."""
    from pydantic import ValidationError

    from complaints.settings import describe_faults
    from complaints.wiring import NotReady

    if isinstance(error, ComplaintError):
        said = [describe_fault(fault) for fault in error.faults] or [error.detail]
        return said + getattr(error, "__notes__", [])
    if isinstance(error, NotReady):
        return [str(error)]
    if isinstance(error, ValidationError):
        return [describe_faults(error)]
    return None


def _print_version(asked: bool) -> None:
    if asked:
        import complaints

        out.print(complaints.__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Complaint ticketing and closed-loop workflow."""


def openapi() -> None:
    """Print the OpenAPI document of the API."""
    from complaints.wiring import openapi_document

    sys.stdout.write(openapi_document())


_COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("serve", serve, "COMPLAINTS_PROCESSES=4 complaints serve --port 9000"),
    ("worker", worker, "COMPLAINTS_DATABASE_URL=postgresql://db/complaints complaints worker"),
    ("migrate", migrate, "COMPLAINTS_DATABASE_URL=postgresql://db/complaints complaints migrate"),
    ("check", check, "complaints check --processes 2 && echo all is well"),
    (
        "import",
        import_file,
        "complaints import complaints.csv --map subject='Customer Complaint' --set channel=phone --unmapped attributes",
    ),
    ("export", export, "complaints export closed.csv status=closed received_from=2026-01-01T00:00:00Z --bom"),
    ("demo", demo, "COMPLAINTS_DATA_DIR=demo complaints demo --seed 7 --complaints 2000"),
    ("openapi", openapi, "complaints openapi > openapi.json"),
)
for _name, _command, _example in _COMMANDS:
    app.command(_name, epilog=f"Example: {_example}")(_command)
app.add_typer(policy_app, name="policy")
app.add_typer(key_app, name="key")
app.add_typer(user_app, name="user")
app.add_typer(team_app, name="team")
app.add_typer(department_app, name="department")
app.add_typer(people_app, name="people")
app.add_typer(figures_app, name="figures")
