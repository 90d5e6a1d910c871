"""The commands `policy …`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from complaints.cli.console import AsJson, err, open_service, out, print_rows
from complaints.cli.simulating import policy_simulate
from complaints.cli.written_files import opened_for_writing
from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.vocabulary import Channel, Priority

if TYPE_CHECKING:
    from complaints.domain.rules.trial import TriedDeadline
    from complaints.use_cases.configuration.policies import ApplyPolicyResult, ListedPolicy

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
    out.print(_describe_applied(applied))


def _describe_applied(applied: "ApplyPolicyResult") -> str:
    policy = applied.policy
    version, since = f"{policy.code} version {policy.version}", policy.effective_at.isoformat()
    if applied.overruled:
        return f"{version} is applied, but it is not in force now. Its effective_at is {since}."
    return f"{version} is in force from {since}."


@policy_app.command("show", epilog="Example: complaints policy show telecom-handbook")
def policy_show(
    code: Annotated[str | None, typer.Argument(help="All policies are listed without it.")] = None,
) -> None:
    """List the policies, or print the newest version of one."""
    from complaints.use_cases.configuration import policies

    with open_service() as service:
        configuration = service.read(service.configuration)
        versions = service.read(lambda tx: policies.list_policies(tx, configuration, code))
        if code is None:
            print_rows([_row_of(listed) for listed in versions], as_json=False)
            return
        newest = max(listed.policy.version for listed in versions)
        _, text = service.read(lambda tx: policies.load_policy(tx, configuration, code, newest))
        out.print(text)


def _row_of(listed: "ListedPolicy") -> dict[str, object]:
    policy = listed.policy
    values = (f"{name} {' '.join(fitting)}" for name, fitting in policy.applies_to.items())
    return {
        "policy": policy.code,
        "version": policy.version,
        "in force from": policy.effective_at,
        "until": policy.effective_until,
        "in force now": listed.in_force,
        "applies to": ", ".join(values) or "every complaint",
    }


@policy_app.command(
    "try", epilog="Example: complaints policy try our-policy.yaml --at 2026-10-01T09:00:00+08:00"
)
def policy_try(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    at: Annotated[
        str, typer.Option(help="When the complaint is received, such as 2026-10-01T09:00:00+08:00.")
    ],
    priority: Annotated[Priority, typer.Option()] = Priority.NORMAL,
    region: Annotated[str | None, typer.Option()] = None,
    source: Annotated[str | None, typer.Option()] = None,
    channel: Annotated[Channel | None, typer.Option()] = None,
    category: Annotated[str | None, typer.Option()] = None,
    as_json: AsJson = False,
) -> None:
    """Show the deadlines that a complaint would get by a document that is not applied yet, without a database.

    Follow-ups and closure count from a result that is told exactly when it is due.
    """
    from complaints.domain.policy.circumstances import Circumstances
    from complaints.use_cases.configuration.trial import try_document
    from complaints.wiring import read_text

    told = Circumstances(priority=priority, region=region, source=source, channel=channel, category=category)
    tried = try_document(read_text(file), _parse_instant(at), told=told)
    _print_warnings(tried.warnings)
    if not tried.fits:
        err.print("warning: 'applies_to' does not fit a complaint with these members")
    print_rows([_deadline_row(deadline) for deadline in tried.deadlines], as_json=as_json)


def _parse_instant(written: str) -> datetime:
    from complaints.domain.instants import read_instant

    try:
        return read_instant(written, allow_minutes=True).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidContent(f"--at is no instant with its offset: {written[:60]!r}.") from error


def _deadline_row(deadline: "TriedDeadline") -> dict[str, object]:
    from complaints.domain.time.notation import target_text

    zone = ZoneInfo(deadline.calendar.timezone)
    return {
        "deadline": deadline.kind,
        "number": deadline.sequence,
        "target": " + ".join(target_text(target) for target in deadline.targets),
        "starts": deadline.started_at.astimezone(zone).isoformat(),
        "due": deadline.due_at.astimezone(zone).isoformat(),
    }


@policy_app.command("pack", epilog="Example: complaints policy pack uk-ofcom --into policies/")
def policy_pack(
    name: Annotated[str | None, typer.Argument(help="All packs are listed without it.")] = None,
    into: Annotated[Path | None, typer.Option(help="The directory to which the documents go.")] = None,
) -> None:
    """List the packs of example policies by country, print one, or write its documents to a directory.

    Every document is an example: check its dates and its sources before you apply it.
    """
    from complaints.use_cases.upkeep.seeding import pack_document, shipped_packs

    packs = shipped_packs()
    if name is None:
        rows: list[dict[str, object]] = [
            {"pack": p, "documents": " ".join(files)} for p, files in packs.items()
        ]
        print_rows(rows, as_json=False)
        return
    if name not in packs:
        raise InvalidContent(f"There is no pack {name[:100]!r}: there are {', '.join(packs)}.")
    documents = {document: pack_document(name, document) for document in packs[name]}
    if into is None:
        out.print("\n".join(documents.values()))
    else:
        _write_documents(documents, into)


def _write_documents(documents: Mapping[str, str], into: Path) -> None:
    """Write the documents of a pack. One that is there may have been changed by hand, so it is refused."""
    try:
        into.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"{into}: {error.strerror}", param_hint="--into") from error
    for document in documents:
        if (into / document).exists():
            raise typer.BadParameter(
                f"{into / document} is there already. Remove it, or name another directory.",
                param_hint="--into",
            )
    for document, text in documents.items():
        with opened_for_writing(str(into / document), hint="--into") as file:
            file.write(text.encode())
        out.print(f"{into / document} is written.")


policy_app.command(
    "simulate",
    epilog="Example: complaints policy simulate our-policy.yaml --from 2026-07-01 --to 2026-10-01 --rows facts.ndjson",
)(policy_simulate)


def _print_warnings(warnings: Sequence[Fault]) -> None:
    """Print the warnings of a policy document on standard error."""
    for warning in warnings:
        err.print(f"warning: {warning.message}")
