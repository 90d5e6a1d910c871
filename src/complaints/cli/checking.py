"""The command `check`."""

import os
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from complaints.cli.console import err, open_service, out, read_settings

if TYPE_CHECKING:
    from complaints.cli.check_record import CheckRecord
    from complaints.use_cases.service import Service
    from complaints.use_cases.upkeep.checks import CheckedRange, Proof
    from complaints.use_cases.upkeep.violation import Violation


def check(
    processes: Annotated[
        int | None,
        typer.Option(
            min=1, max=256, help="How many processes check complaints; else one for each processor."
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Continue the last check of this database, if it was interrupted."),
    ] = False,
    attachment_bytes: Annotated[
        bool,
        typer.Option(
            "--attachment-bytes", help="Read the bytes of all attachments, and compare their digests."
        ),
    ] = False,
) -> None:
    """Prove the invariants over the whole database and list every violation. Ends with status 1 if there is one."""
    from rich.table import Table

    from complaints import wiring
    from complaints.use_cases.upkeep.checks import count_to_check

    found = Table("Invariant", "Complaint", "What is wrong", box=None)
    with open_service() as service:
        record, size = _open_record(service, resume=resume), count_to_check(service)
        with _resumable(record):
            violations, proof = _prove(
                service,
                record,
                size.complaints,
                processes or os.cpu_count() or 1,
                reads_attachments=attachment_bytes,
            )
        checked = f"{proof} in {wiring.name_of(service.database)}"
    record.remove()
    for violation in violations:
        found.add_row(violation.invariant, violation.number, violation.message)
    if found.row_count:
        out.print(found)
        out.print(f"Checked: {checked}.")
        raise typer.Exit(1)
    out.print(f"Every invariant holds. Checked: {checked}.")
    if size.cut_off:
        out.print(
            f"Of {size.cut_off} complaints that began in detached months only the rest of the history was looked at."
        )


def _prove(
    service: "Service",
    record: "CheckRecord",
    complaints: int,
    processes: int,
    *,
    reads_attachments: bool,
) -> tuple[list["Violation"], "Proof"]:
    """Check all that `record` does not have. Returns all violations, with those in the record."""
    from rich.progress import Progress

    from complaints import wiring

    violations, proof = [one for checked in record.ranges for one in checked.violations], record.proof
    # Without a thread that refreshes it: the check forks, and a thread could hold a lock at that moment.
    with Progress(console=err, transient=True, auto_refresh=False) as progress:
        task = progress.add_task("Checking", total=complaints, completed=proof.complaints)

        def note(checked: "CheckedRange") -> None:
            nonlocal proof
            proof += checked.proof
            progress.update(task, advance=checked.proof.complaints, refresh=True)
            record.add(checked)

        annexes = wiring.open_annexes()
        found = wiring.check(
            service,
            annexes,
            progress=note,
            after=record.last_id,
            processes=processes,
            reads_attachments=reads_attachments,
        )
        return [*violations, *found], proof


def _open_record(service: "Service", *, resume: bool) -> "CheckRecord":
    """The record of the check that is resumed, or of a new one."""
    from complaints import wiring
    from complaints.cli.check_record import CheckRecord, read_record, record_path
    from complaints.domain.instants import write_instant

    path = record_path(read_settings(default_level="error").data_dir, wiring.name_of(service.database))
    found = read_record(path) if resume else None
    if found is not None:
        err.print(f"Resumed: the check that began at {found.began_at} checked {found.proof}.")
        return found
    if resume:
        err.print("There is no check to resume: a new one begins.")
    return CheckRecord(path, write_instant(wiring.wall_now().replace(microsecond=0)))


@contextmanager
def _resumable(record: "CheckRecord") -> Iterator[None]:
    """If the check is interrupted, say how it can be resumed."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, BrokenProcessPool):
            err.print("A process of the check was killed. Did memory run out?")
        if record.is_kept:
            err.print(f"Interrupted after {record.proof}: `complaints check --resume` continues there.")
        if isinstance(error, BrokenProcessPool):
            raise typer.Exit(1) from error
        raise
