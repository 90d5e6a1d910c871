"""The commands `people …`: a file of departments, teams and users."""

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from complaints.cli.console import err, open_service, out

if TYPE_CHECKING:
    from complaints.use_cases.people.planning import PeoplePlan, PeopleStep

people_app = typer.Typer(no_args_is_help=True, help="Departments, teams and users in one YAML file.")


@people_app.command("apply", epilog="Example: complaints people apply people.yaml --dry-run")
def people_apply(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    yes: Annotated[bool, typer.Option("--yes", help="Apply the plan without a question.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and apply nothing.")] = False,
) -> None:
    """Make departments, teams and users as a file has them. The plan is shown first.

    Who is not in the file stays as it is; a member that is left out keeps its value. `active: false` lets a user leave.
    """
    from complaints.use_cases.access import SYSTEM
    from complaints.use_cases.people.applying import apply_people, preview_people
    from complaints.use_cases.people.document import read_people
    from complaints.wiring import read_text

    people = read_people(read_text(file))
    with open_service() as service:
        plan = preview_people(service, SYSTEM, people)
        out.print("\n".join(_describe(plan)))
        if dry_run or not plan.steps:
            return
        if not yes and not _is_confirmed():
            err.print("Nothing was applied. With --yes the plan is applied without a question.")
            raise typer.Exit(1)
        apply_people(service, SYSTEM, people, plan)
    out.print("Applied.")


@people_app.command("export", epilog="Example: complaints people export > people.yaml")
def people_export() -> None:
    """Print everybody as such a file. Applied to the same database it changes nothing."""
    from complaints.use_cases.people.document import format_people

    with open_service() as service:
        text = service.read(lambda tx: format_people(service.configuration(tx).directory, tx.now))
    sys.stdout.write(text)


def _is_confirmed() -> bool:
    """The answer of the person at the terminal; False without a terminal."""
    return sys.stdin.isatty() and typer.confirm("Apply this plan?")


def _describe(plan: "PeoplePlan") -> Iterator[str]:
    """The lines of a plan."""
    for step in plan.steps:
        yield from _describe_step(step)
    if not plan.steps:
        yield "Nothing is to change."
    yield "unchanged: " + ", ".join(f"{count} {name}" for name, count in plan.same.items())
    for name, keys in plan.untouched.items():
        if keys:
            yield f"not in the file, so untouched: {name} {', '.join(keys)}"


def _describe_step(step: "PeopleStep") -> Iterator[str]:
    what = "create" if step.old is None else "deactivate" if step.leaves else "change"
    heir = f", successor {step.successor}" if step.leaves and step.successor else ""
    yield f"{what} {step.section.kind.noun} {step.key}{heir}"
    for name, (old, new) in step.changes.items():
        if step.old is not None:
            yield f"    {name}: {_spoken(old)} → {_spoken(new)}"
        elif name != step.section.kind.key and new not in (None, (), True):
            yield f"    {name}: {_spoken(new)}"


def _spoken(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {text}" for name, text in value.items())
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if isinstance(value, datetime):
        return value.isoformat()
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
