"""The commands `policy …`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from complaints.cli.console import err, open_service, out
from complaints.cli.simulating import policy_simulate
from complaints.domain.errors import Fault

policy_app = typer.Typer(no_args_is_help=True, help="Policies: deadlines, ladders, follow-up, routing.")


@policy_app.command("validate", epilog="Example: complaints policy validate our-policy.yaml")
def policy_validate(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Check a policy document without a database, and print every fault with its line."""
    from complaints.use_cases.policy_document.document import read_policy
    from complaints.wiring import read_text

    reading = read_policy(read_text(file))
    _print_warnings(reading.warnings)
    out.print(f"{reading.policy.code} is a valid policy.")


@policy_app.command("apply", epilog="Example: complaints policy apply our-policy.yaml")
def policy_apply(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Apply a policy document as a new version. It holds for complaints received from its effective date on."""
    from complaints.use_cases.access import SYSTEM
    from complaints.use_cases.configuration import policies
    from complaints.wiring import read_text

    text = read_text(file)
    with open_service() as service:
        applied = service.write(lambda tx: policies.apply_policy(service, tx, SYSTEM, text))
    _print_warnings(applied.warnings)
    policy = applied.policy
    out.print(f"{policy.code} version {policy.version} is in force from {policy.effective_at.isoformat()}.")


@policy_app.command("show", epilog="Example: complaints policy show telecom-handbook")
def policy_show(
    code: Annotated[str | None, typer.Argument(help="All policies are listed without it.")] = None,
) -> None:
    """List the policies, or print the newest version of one."""
    from rich.table import Table

    from complaints.use_cases.configuration import policies

    with open_service() as service:
        configuration = service.read(service.configuration)
        if code is None:
            listed = Table("Policy", "Version", "In force from", box=None)
            for policy in configuration.policies_in_order:
                listed.add_row(policy.code, str(policy.version), policy.effective_at.isoformat())
            out.print(listed)
            return
        versions = service.read(lambda tx: policies.list_policies(tx, configuration, code))
        newest = max(listed.policy.version for listed in versions)
        _, text = service.read(lambda tx: policies.load_policy(tx, configuration, code, newest))
        out.print(text)


policy_app.command(
    "simulate",
    epilog="Example: complaints policy simulate our-policy.yaml --from 2026-07-01 --to 2026-10-01 --rows facts.ndjson",
)(policy_simulate)


def _print_warnings(warnings: Sequence[Fault]) -> None:
    """Print the warnings of a policy document on standard error."""
    for warning in warnings:
        err.print(f"warning: {warning.message}")
