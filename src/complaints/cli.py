"""The command line. Every command says what it does and gives an example."""

import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from prometheus_client import CollectorRegistry
from pydantic import ValidationError
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress
from rich.table import Table

from complaints import wiring
from complaints.domain.errors import ComplaintError, Fault, NotFound
from complaints.domain.importing.import_file import CSV, NDJSON
from complaints.domain.vocabulary import AccessRole
from complaints.logs import configure_logging
from complaints.serving.http_server import DrainingServer, server_config
from complaints.serving.supervisor import Supervisor, report_to_supervisor
from complaints.settings import Settings
from complaints.storage.queries.audit import count_complaints, count_cut_off
from complaints.storage.rows.api_key import find_keys
from complaints.storage.rows.import_job import Job, list_errors
from complaints.storage.rows.policy import load_text
from complaints.use_cases import imports
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.configuration import keys, policies
from complaints.use_cases.configuration.policy_document import read_policy
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.checks import check_all

app = typer.Typer(
    name="complaints",
    help="Complaint ticketing and closed-loop workflow.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def main() -> None:
    """Run the command line. Refusals are told in a line or more, without a stack trace, and exit with 1."""
    try:
        app()
    except ComplaintError as refusal:
        lines = [f"{fault.pointer or '/'}: {fault.message}" for fault in refusal.faults]
        err.print("\n".join(lines or [refusal.detail]), markup=False)
        sys.exit(1)
    except wiring.NotReady as trouble:
        err.print(str(trouble), markup=False)
        sys.exit(1)
    except ValidationError as error:
        for fault in error.errors():
            name = "COMPLAINTS_" + "_".join(str(part) for part in fault["loc"]).upper()
            err.print(f"{name}: {fault['msg']}", markup=False)
        sys.exit(1)


@app.command(epilog="Example: COMPLAINTS_PORT=9000 COMPLAINTS_PROCESSES=4 complaints serve")
def serve() -> None:
    """Serve the API and, unless COMPLAINTS_SCHEDULER=0, watch the deadlines in this process.

    COMPLAINTS_PROCESSES=4 serves one port in four processes; SIGHUP replaces them without a refused request.
    """
    configure_logging()
    settings = Settings()
    service, first_key = wiring.prepare(settings)
    listeners = wiring.listen(settings)
    if settings.listen_fd is None:
        _tell_start(settings, listeners[0].getsockname()[1], first_key)
    if len(listeners) > 1:
        service.close()
        raise typer.Exit(Supervisor(listeners).run())
    _serve_on(listeners[0], service, settings)


def _serve_on(listener: socket.socket, service: Service, settings: Settings) -> None:
    registry = CollectorRegistry()
    replica = wiring.open_replica(settings, service)
    application = wiring.build_app(service, settings, registry, replica=replica)
    loops = wiring.build_loops(service, registry, settings) if settings.scheduler else None
    line = settings.supervisor_fd
    server = DrainingServer(
        server_config(application),
        drain_seconds=settings.drain_seconds,
        on_ready=lambda: None if line is None else report_to_supervisor(line),
    )
    # Having ended in good order it raises the signal again, for who listened before: nobody would mean death.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
    try:
        if loops:
            loops.start()
        wiring.settle(service)
        server.run(sockets=[listener])
    finally:
        if loops:
            loops.stop()
        if replica:
            replica.close()
        service.close()


def _tell_start(settings: Settings, port: int, first_key: wiring.FirstKey | None) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{port}"
    key_file = settings.data_dir / wiring.KEY_FILE
    lines = [f"Complaints is served at {address} (the API is described at {address}/docs).", ""]
    if first_key:
        lines += [f"Your first key, kept in {first_key.path}:", f"    {first_key.secret}", ""]
    named = "$COMPLAINTS_BOOTSTRAP_API_KEY" if settings.bootstrap_api_key else f"$(cat {key_file})"
    lines += [
        "Post a first complaint:",
        f"    curl -s {address}/v1/complaints \\",
        f'      -H "Authorization: Bearer {named}" \\',
        "      -H 'Content-Type: application/json' \\",
        """      -d '{"channel": "phone", "subject": "No signal since Monday", "category": "network.outage"}'""",
        "",
    ]
    out.print("\n".join(lines), markup=False)
    sys.stdout.flush()


@app.command(epilog="Example: COMPLAINTS_DATABASE_URL=postgresql://db/complaints complaints worker")
def worker() -> None:
    """Watch the deadlines and work on imports, without serving the API. Any number may run at once."""
    configure_logging()
    settings = Settings()
    service, _ = wiring.prepare(settings)
    loops = wiring.build_loops(service, CollectorRegistry(), settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    loops.start()
    wiring.settle(service)
    out.print("Watching the deadlines; end with Ctrl-C.")
    sys.stdout.flush()
    try:
        stop.wait()
    finally:
        loops.stop()
        service.close()


@app.command(epilog="Example: COMPLAINTS_DATABASE_URL=postgresql://db/complaints complaints migrate")
def migrate() -> None:
    """Bring the database to the newest schema; a fresh one is filled with policy, categories and teams."""
    settings = Settings()
    service, first_key = wiring.migrate_and_seed(settings)
    service.close()
    out.print("The database is at the newest schema.")
    if first_key:
        out.print(f"Your first key, kept in {first_key.path}:\n    {first_key.secret}", markup=False)


@contextmanager
def _service() -> Iterator[Service]:
    with wiring.opened(Settings()) as service:
        yield service


@app.command(epilog="Example: complaints check && echo all is well")
def check() -> None:
    """Prove the invariants over the whole database, and list what breaks them; exits with 1 if anything does."""
    found = Table("Invariant", "Complaint", "What is wrong", box=None)
    with _service() as service, Progress(console=err, transient=True) as progress:
        task = progress.add_task("Checking", total=service.read(count_complaints))
        cut_off = service.read(count_cut_off)
        for finding in check_all(service, progress=lambda count: progress.advance(task, count)):
            found.add_row(finding.invariant, finding.number, finding.message)
    if found.row_count:
        out.print(found)
        raise typer.Exit(1)
    out.print("Every invariant holds.")
    if cut_off:
        out.print(
            f"Of {cut_off} complaints that began in detached months only the rest of the history was looked at."
        )


# Imports -----------------------------------------------------------------------------------------------------------

_MAPPING_HELP = (
    "MEMBER=COLUMN; columns joined by + come with a space between; in NDJSON a path such as turns.0.text."
)


@app.command(
    "import",
    epilog="Example: complaints import complaints.csv --map subject='Customer Complaint' --set channel=phone "
    "--unmapped attributes",
)
def import_file(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV, or NDJSON: one complaint a line.")
    ],
    mapping: Annotated[list[str], typer.Option("--map", help=_MAPPING_HELP)] = [],  # noqa: B006 - typer copies it
    constants: Annotated[list[str], typer.Option("--set", help="MEMBER=VALUE for every row.")] = [],  # noqa: B006
    expect: Annotated[list[str], typer.Option(help="MEMBER=PATTERN; a row that does not match fails.")] = [],  # noqa: B006
    date_format: Annotated[str | None, typer.Option(help="How dates are written, as in strptime.")] = None,
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
    source: Annotated[str, typer.Option(help="The source the complaints belong to.")] = "import",
    charset: Annotated[str | None, typer.Option(help="The file's encoding, if it does not show.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; tell what would happen.")
    ] = False,
) -> None:
    """Import complaints from a file. Run again after a crash or by mistake, it doubles nothing."""
    pairs = [*_pairs("map", mapping), *_pairs("set", constants), *_pairs("expect", expect)]
    single = {"date_format": date_format, "timezone": timezone, "unmapped": unmapped, "dates": dates,
              "repeated_ids": repeated_ids}  # fmt: skip
    pairs += [(name, value) for name, value in single.items() if value is not None]
    media_type = CSV if file.suffix.lower() == ".csv" else NDJSON
    request = imports.ImportRequest(file.read_bytes(), media_type, charset, tuple(pairs), dry_run)
    caller = Caller("import", frozenset({AccessRole.ADMIN}), source)
    with _service() as service:
        job = service.write(lambda tx: imports.start_import(service, tx, caller, request))
        with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=err) as progress:
            task = progress.add_task("Importing", total=job.rows)
            while not imports.work_on(
                service, job.id, progress=lambda j: progress.update(task, completed=j.done)
            ):
                time.sleep(0.2)  # a worker took a chunk of it
        _tell_import(service, service.read(lambda tx: imports.load_import(tx, caller, job.id)))


def _pairs(prefix: str, given: list[str]) -> list[tuple[str, str]]:
    pairs = []
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"--{prefix} takes MEMBER=VALUE, not {text!r}")
        pairs.append((f"{prefix}.{name}", value))
    return pairs


def _tell_import(service: Service, job: Job) -> None:
    would = "would be " if job.dry_run else ""
    out.print(
        f"{job.rows} rows: {job.accepted} {would}accepted, {job.duplicates} known already, {job.failed} failed."
    )
    after = 0
    while rows := service.read(partial(list_errors, import_id=job.id, after=after, limit=200)):
        for row in rows:
            for fault in row["errors"]:
                out.print(f"  row {row['row']}: {fault['pointer'] or '/'}: {fault['message']}", markup=False)
        after = rows[-1]["row"]


# Policies ----------------------------------------------------------------------------------------------------------

policy_app = typer.Typer(no_args_is_help=True, help="Policies: deadlines, ladders, follow-up, routing.")
app.add_typer(policy_app, name="policy")


@policy_app.command("validate", epilog="Example: complaints policy validate our-policy.yaml")
def policy_validate(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Check a policy document, without a database; faults are told with their lines."""
    reading = read_policy(file.read_text(encoding="utf-8"))
    _tell_warnings(reading.warnings)
    out.print(f"{reading.policy.code} is a valid policy.")


@policy_app.command("apply", epilog="Example: complaints policy apply our-policy.yaml")
def policy_apply(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Apply a policy document as a new version; complaints received from its effective date on go by it."""
    text = file.read_text(encoding="utf-8")
    with _service() as service:
        applied = service.write(lambda tx: policies.apply_policy(service, tx, SYSTEM, text))
    _tell_warnings(applied.warnings)
    policy = applied.policy
    out.print(f"{policy.code} version {policy.version} is in force from {policy.effective_at.isoformat()}.")


@policy_app.command("show", epilog="Example: complaints policy show telecom-handbook")
def policy_show(
    code: Annotated[str | None, typer.Argument(help="All policies are listed without it.")] = None,
) -> None:
    """List the policies, or print the newest version of one."""
    with _service() as service:
        configuration = service.read(service.configuration)
        if code is None:
            listed = Table("Policy", "Version", "In force from", box=None)
            for policy in configuration.policies_in_order:
                listed.add_row(policy.code, str(policy.version), policy.effective_at.isoformat())
            out.print(listed)
            return
        versions = service.read(lambda tx: policies.list_policies(tx, configuration, code))
        newest = max(listed.policy.version for listed in versions)
        out.print(service.read(lambda tx: load_text(tx, code, newest)), markup=False)


def _tell_warnings(warnings: Sequence[Fault]) -> None:
    for warning in warnings:
        err.print(f"warning: {warning.message}", markup=False)


# Keys --------------------------------------------------------------------------------------------------------------

key_app = typer.Typer(no_args_is_help=True, help="API keys.")
app.add_typer(key_app, name="key")


@key_app.command("create", epilog="Example: complaints key create cc-north --role intake --source cc-north")
def key_create(
    name: str,
    role: Annotated[list[AccessRole], typer.Option(help="What the key may do; may be given several times.")],
    source: Annotated[
        str | None, typer.Option(help="The source of what it posts; its name if absent.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="The person it belongs to and acts as.")] = None,
) -> None:
    """Make a key and print its secret, this once."""
    with _service() as service:
        _, secret = service.write(
            lambda tx: keys.create_key(service, tx, SYSTEM, name=name, roles=role, source=source, login=user)
        )
    out.print(secret, markup=False)


@key_app.command("revoke", epilog="Example: complaints key revoke cc-north")
def key_revoke(name: str) -> None:
    """Revoke a key, for good; every process stops taking it within seconds."""
    with _service() as service:
        found = [key for key in service.read(find_keys) if key.name == name]
        if not found:
            raise NotFound(f"There is no key {name!r}.")
        service.write(lambda tx: keys.revoke_key(service, tx, SYSTEM, found[0].id))
    out.print(f"{name} is revoked.", markup=False)


@key_app.command("list", epilog="Example: complaints key list")
def key_list() -> None:
    """List the keys."""
    listed = Table("Name", "Roles", "Source", "User", "Revoked", box=None)
    with _service() as service:
        for key in service.read(find_keys):
            revoked = key.revoked_at.isoformat() if key.revoked_at else ""
            listed.add_row(key.name, ", ".join(sorted(key.roles)), key.source, key.login or "", revoked)
    out.print(listed)


@app.command(epilog="Example: complaints openapi > openapi.json")
def openapi() -> None:
    """Print the OpenAPI document of the API."""
    sys.stdout.write(wiring.openapi_document())
