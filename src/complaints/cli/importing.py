"""The command `import`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from complaints.cli.console import describe_fault, err, open_service, out
from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.vocabulary import AccessRole

if TYPE_CHECKING:
    from complaints.use_cases.importing.uploads import ImportJob, ImportRequest
    from complaints.use_cases.service import Service

_MAPPING_HELP = (
    "MEMBER=COLUMN; columns joined by + come with a space between; in NDJSON a path such as turns.0.text."
)


def import_file(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV, or NDJSON: one complaint a line.")
    ],
    mapping: Annotated[list[str], typer.Option("--map", help=_MAPPING_HELP)] = [],  # noqa: B006 - typer copies it
    constants: Annotated[list[str], typer.Option("--set", help="MEMBER=VALUE for every row.")] = [],  # noqa: B006
    expect: Annotated[list[str], typer.Option(help="MEMBER=PATTERN; a row that does not match fails.")] = [],  # noqa: B006
    date_format: Annotated[
        str | None, typer.Option(help="How dates are written, as in strptime; or excel, epoch.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of times without an offset, such as Asia/Shanghai.")
    ] = None,
    unmapped: Annotated[
        str | None, typer.Option(help="Columns nobody mapped: refuse, ignore, attributes.")
    ] = None,
    dates: Annotated[
        str | None, typer.Option(help="Day and month look swapped: as_written, swap_ambiguous.")
    ] = None,
    repeated_ids: Annotated[str | None, typer.Option(help="Many rows share an id: accept.")] = None,
    translations: Annotated[
        list[str],
        typer.Option("--map-value", help="MEMBER:WORD=VALUE; a word of the file, and what it means."),
    ] = [],  # noqa: B006
    history: Annotated[
        bool, typer.Option("--history", help="The complaints have ended, unless their status says otherwise.")
    ] = False,
    source: Annotated[str, typer.Option(help="The source the complaints belong to.")] = "import",
    charset: Annotated[str | None, typer.Option(help="The file's encoding, if it does not show.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; tell what would happen.")
    ] = False,
) -> None:
    """Import complaints from a file. A second run after a crash or by mistake imports nothing twice.

    The status is 0 if every row is taken or known, and 1 if a row failed, the file was refused or the import
    was stopped.
    """
    if not source.strip():
        raise typer.BadParameter("it names the system that the complaints come from", param_hint="--source")
    pairs = [*_pairs("map", mapping), *_pairs("set", constants), *_pairs("expect", expect)]
    pairs += _pairs("map_value", translations)
    single = {"date_format": date_format, "timezone": timezone, "unmapped": unmapped, "dates": dates,
              "repeated_ids": repeated_ids, "history": "true" if history else None}  # fmt: skip
    pairs += [(name, value) for name, value in single.items() if value is not None]
    request = _read_request(file, charset, pairs, dry_run=dry_run)
    with open_service() as service:
        ended = _import(service, source, request)
        _print_import(service, ended)
    raise typer.Exit(1 if ended.failed or ended.stopped_because else 0)


def _read_request(
    file: Path, charset: str | None, pairs: Sequence[tuple[str, str]], *, dry_run: bool
) -> "ImportRequest":
    """The import of a file with these options. The ending of its name tells if it is CSV."""
    from complaints.domain.importing.import_file import CSV, NDJSON
    from complaints.use_cases.importing.uploads import ImportRequest

    media_type = CSV if file.suffix.lower() in (".csv", ".tsv", ".tab", ".txt") else NDJSON
    return ImportRequest(file.read_bytes(), media_type, charset, tuple(pairs), dry_run)


def _import(service: "Service", source: str, request: "ImportRequest") -> "ImportJob":
    """Import a file as complaints of `source`, and show the progress. Returns the ended import."""
    import time

    from rich.progress import MofNCompleteColumn, Progress

    from complaints.domain.importing.import_file import speak_as_command
    from complaints.use_cases.access import Caller
    from complaints.use_cases.importing import uploads
    from complaints.wiring import open_import_worker

    caller = Caller("import", frozenset({AccessRole.ADMIN}), source)
    try:
        checked = uploads.check_file(caller, request)
    except InvalidContent as refusal:
        raise speak_as_command(refusal) from refusal
    job = service.write(lambda tx: uploads.start_import(service, tx, caller, checked))
    worker = open_import_worker(service)
    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=err) as progress:
        task = progress.add_task("Importing", total=job.rows)
        while not worker.work_on(job.id, progress=lambda j: progress.update(task, completed=j.done)):
            time.sleep(0.2)  # a worker of another process has claimed it
    return service.read(lambda tx: uploads.load_import(tx, caller, job.id))


def _pairs(prefix: str, given: list[str]) -> list[tuple[str, str]]:
    """Options as pairs, each name with its prefix, as the API takes them."""
    pairs = []
    for text in given:
        # A translated word may have a = in it; its value has none.
        name, equals, value = text.rpartition("=") if prefix == "map_value" else text.partition("=")
        if not equals:
            raise typer.BadParameter(f"--{prefix} takes MEMBER=VALUE, not {text!r}")
        pairs.append((f"{prefix}.{name}", value))
    return pairs


def _print_import(service: "Service", job: "ImportJob") -> None:
    """Print the counts of an import and the faults of each row."""
    from functools import partial

    from complaints.use_cases.importing import uploads

    would = "would be " if job.dry_run else ""
    out.print(
        f"{job.rows} rows: {job.accepted} {would}accepted, {job.duplicates} known already, {job.failed} failed."
    )
    if job.stopped_because:
        err.print(f"The import was stopped: {job.stopped_because}")
    after = 0
    while rows := service.read(partial(uploads.list_errors, job=job, after=after, limit=200)):
        for row in rows:
            for fault in row["errors"]:
                out.print(f"  row {row['row']}: {describe_fault(Fault(**fault))}", markup=False)
        after = rows[-1]["row"]
