"""The command line. Every command says what it does and gives an example.

Imports stand inside the commands: `--help` answers quickly because it loads none of the product.
"""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from complaints.domain.errors import ComplaintError, Fault, InvalidContent, NotFound
from complaints.domain.vocabulary import AccessRole

if TYPE_CHECKING:
    import socket

    from complaints.api.feature import Annexes
    from complaints.settings import Settings
    from complaints.use_cases.importing.uploads import ImportJob
    from complaints.use_cases.service import Service
    from complaints.wiring import FirstKey

app = typer.Typer(
    name="complaints",
    help="Complaint ticketing and closed-loop workflow.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
# Names and messages are printed as they are: nothing in them is markup or an emoji.
out = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
LogLevel = Annotated[
    str | None,
    typer.Option("--log-level", help="debug, info, warning or error; else COMPLAINTS_LOG_LEVEL, else info."),
]


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
        return [_describe(fault) for fault in error.faults] or [error.detail]
    if isinstance(error, NotReady):
        return [str(error)]
    if isinstance(error, ValidationError):
        return [describe_faults(error)]
    return None


def _describe(fault: Fault) -> str:
    return f"{fault.pointer}: {fault.message}" if fault.pointer else fault.message


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


@app.command(epilog="Example: COMPLAINTS_PROCESSES=4 complaints serve --port 9000")
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen at; else COMPLAINTS_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(help="The port, 0 for a free one; else COMPLAINTS_PORT.")
    ] = None,
    log_level: LogLevel = None,
) -> None:
    """Serve the API and, unless COMPLAINTS_SCHEDULER=0, watch the deadlines in this process.

    COMPLAINTS_PROCESSES=4 serves one port in four processes; SIGHUP replaces them without a refused request.
    """
    from complaints import wiring

    settings = _read_settings(host=host, port=port, log_level=log_level)
    annexes = wiring.open_annexes()
    service, first_key = wiring.prepare(settings)
    listeners = wiring.listen(settings)
    if settings.listen_fd is None:
        _print_start(settings, listeners[0].getsockname()[1], first_key)
    if len(listeners) > 1:
        service.close()
        raise typer.Exit(_supervise(listeners, settings))
    _serve_on(listeners[0], service, settings, annexes)


def _read_settings(*, default_level: str = "info", **given: object) -> "Settings":
    """The settings, with options of the command in place of variables; the log is written as they say.

    `default_level` is the level of the log if nobody names one.
    """
    from complaints.logs import configure_logging
    from complaints.settings import Settings

    settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    configure_logging(level=getattr(logging, (settings.log_level or default_level).upper()))
    return settings


def _supervise(listeners: "Sequence[socket.socket]", settings: "Settings") -> int:
    """Serve in a process for each socket. They share their measures in a private directory."""
    from functools import partial
    from tempfile import TemporaryDirectory

    from complaints.serving.measures import merge_ended
    from complaints.serving.supervisor import Supervisor

    with TemporaryDirectory(prefix="complaints-measures-") as directory:
        given = {"COMPLAINTS_METRICS_DIR": directory}
        if settings.log_level:
            given["COMPLAINTS_LOG_LEVEL"] = settings.log_level
        return Supervisor(listeners, given, partial(merge_ended, Path(directory))).run()


def _serve_on(
    listener: "socket.socket", service: "Service", settings: "Settings", annexes: "Annexes"
) -> None:
    """Serve on one socket, with the loops if the settings say so, until a signal ends the process."""
    import signal

    from complaints import wiring
    from complaints.serving.http_server import DrainingServer, server_config
    from complaints.serving.measures import open_registries
    from complaints.serving.supervisor import report_to_supervisor

    registries = open_registries(settings.metrics_dir)
    wiring.measure_work(service, registries.own)
    replica = wiring.open_replica(settings, service)
    application = wiring.build_app(
        service, settings, registries.own, annexes, shown=registries.shown, replica=replica
    )
    loops = (
        wiring.build_loops(service, registries.own, settings, annexes)
        if settings.scheduler
        else wiring.build_heartbeat(service)
    )
    line = settings.supervisor_fd
    server = DrainingServer(
        server_config(
            application,
            trust_forwarded_from=settings.trusted_proxies,
            connections_per_peer=settings.connections_per_peer,
            hsts_seconds=settings.hsts_seconds,
        ),
        drain_seconds=settings.drain_seconds,
        on_ready=lambda: None if line is None else report_to_supervisor(line),
        on_stop=application.state.feed_watch.end_waits,
    )
    # uvicorn raises the signal again after shutdown. Without this handler the process would end with an error.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
    try:
        wiring.start_loops(loops)
        wiring.settle(service)
        server.run(sockets=[listener])
    finally:
        wiring.end_loops(service, loops)
        if replica:
            replica.close()
        service.close()


def _print_start(settings: "Settings", port: int, first_key: "FirstKey | None") -> None:
    """Print the address, a new first key, and how to post a first complaint."""
    from complaints.wiring import KEY_FILE

    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{port}"
    key_file = settings.data_dir / KEY_FILE
    lines = [f"Complaints is served at {address} (the API is described at {address}/docs).", ""]
    if first_key:
        lines += [*_describe_first_key(first_key), ""]
    named = "$COMPLAINTS_BOOTSTRAP_API_KEY" if settings.bootstrap_api_key else f"$(cat {key_file})"
    lines += [
        "Post a first complaint:",
        f"    curl -s {address}/v1/complaints \\",
        f'      -H "Authorization: Bearer {named}" \\',
        "      -H 'Content-Type: application/json' \\",
        """      -d '{"channel": "phone", "subject": "No signal since Monday", "category": "network.outage"}'""",
        "",
    ]
    out.print("\n".join(lines))
    sys.stdout.flush()


def _describe_first_key(first_key: "FirstKey") -> list[str]:
    """The lines about a new key. A terminal also gets its secret; other output is often kept as a log."""
    if not sys.stdout.isatty():
        return [f"Your first key is in {first_key.path}."]
    return [f"Your first key, kept in {first_key.path}:", f"    {first_key.secret}"]


@app.command(epilog="Example: COMPLAINTS_DATABASE_URL=postgresql://db/complaints complaints worker")
def worker(log_level: LogLevel = None) -> None:
    """Watch the deadlines and work on imports, without serving the API. Any number may run at once.

    COMPLAINTS_METRICS_PORT=9100 answers /metrics there.
    """
    import signal
    import threading

    from complaints import wiring
    from complaints.serving.measures import open_registries

    settings, annexes = _read_settings(log_level=log_level), wiring.open_annexes()
    registries = open_registries(None)
    service = wiring.open_service(settings)
    wiring.measure_work(service, registries.own)
    loops = wiring.build_loops(service, registries.own, settings, annexes)
    end_measures = wiring.serve_measures(service, settings, registries.shown)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    wiring.start_loops(loops)
    wiring.settle(service)
    out.print("Watching the deadlines; end with Ctrl-C.")
    sys.stdout.flush()
    try:
        stop.wait()
    finally:
        end_measures()
        wiring.end_loops(service, loops)
        service.close()


@app.command(epilog="Example: COMPLAINTS_DATABASE_URL=postgresql://db/complaints complaints migrate")
def migrate(
    force: Annotated[
        bool, typer.Option("--force", help="Also past running programs that the new schema does not allow.")
    ] = False,
) -> None:
    """Bring the database to the newest schema; a fresh one is filled with policy, categories and teams."""
    from complaints import wiring

    settings = _read_settings(default_level="error")
    service, first_key, change = wiring.migrate_and_seed(settings, force=force)
    name = wiring.name_of(service.database)
    service.close()
    if change.before == change.after:
        out.print(f"{name} is at schema {change.after} already: nothing was migrated.")
    else:
        out.print(f"{name} was migrated from schema {change.before or 'none'} to {change.after}.")
    if first_key:
        out.print("\n".join(_describe_first_key(first_key)))


@contextmanager
def _open_service() -> Iterator["Service"]:
    """The service of a command, on the database that the settings name. It must exist. Its name is printed."""
    from complaints import wiring

    with wiring.opened(_read_settings(default_level="error")) as service:
        err.print(f"Database: {wiring.name_of(service.database)}")
        yield service


@app.command(epilog="Example: complaints check && echo all is well")
def check() -> None:
    """Prove the invariants over the whole database and list every violation. Ends with status 1 if there is one."""
    from rich.progress import Progress
    from rich.table import Table

    from complaints import wiring
    from complaints.use_cases.upkeep.checks import Proof, count_to_check

    found = Table("Invariant", "Complaint", "What is wrong", box=None)
    annexes = wiring.open_annexes()
    with _open_service() as service, Progress(console=err, transient=True) as progress:
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
    import time

    from rich.progress import MofNCompleteColumn, Progress

    from complaints.domain.importing.import_file import CSV, NDJSON, speak_as_command
    from complaints.use_cases.access import Caller
    from complaints.use_cases.importing import uploads
    from complaints.wiring import open_import_worker

    if not source.strip():
        raise typer.BadParameter("it names the system that the complaints come from", param_hint="--source")
    pairs = [*_pairs("map", mapping), *_pairs("set", constants), *_pairs("expect", expect)]
    pairs += _pairs("map_value", translations)
    single = {"date_format": date_format, "timezone": timezone, "unmapped": unmapped, "dates": dates,
              "repeated_ids": repeated_ids, "history": "true" if history else None}  # fmt: skip
    pairs += [(name, value) for name, value in single.items() if value is not None]
    media_type = CSV if file.suffix.lower() in (".csv", ".tsv", ".tab", ".txt") else NDJSON
    request = uploads.ImportRequest(file.read_bytes(), media_type, charset, tuple(pairs), dry_run)
    caller = Caller("import", frozenset({AccessRole.ADMIN}), source)
    with _open_service() as service:
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
        ended = service.read(lambda tx: uploads.load_import(tx, caller, job.id))
        _print_import(service, ended)
    raise typer.Exit(1 if ended.failed or ended.stopped_because else 0)


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
                out.print(f"  row {row['row']}: {_describe(Fault(**fault))}", markup=False)
        after = rows[-1]["row"]


# Policies ----------------------------------------------------------------------------------------------------------

policy_app = typer.Typer(no_args_is_help=True, help="Policies: deadlines, ladders, follow-up, routing.")
app.add_typer(policy_app, name="policy")


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
    with _open_service() as service:
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

    with _open_service() as service:
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


def _print_warnings(warnings: Sequence[Fault]) -> None:
    """Print the warnings of a policy document on standard error."""
    for warning in warnings:
        err.print(f"warning: {warning.message}")


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
    expires: Annotated[
        str | None, typer.Option(help="When it stops, with an offset: 2027-01-31T00:00:00Z; never if absent.")
    ] = None,
) -> None:
    """Make a key and print its secret, this once."""
    from complaints.use_cases.access import SYSTEM
    from complaints.use_cases.commands.configuration import CreateKey
    from complaints.use_cases.commands.messages import read_command
    from complaints.use_cases.configuration import keys

    given = {"name": name, "roles": role, "source": source, "user": user, "expires_at": expires}
    command = read_command(CreateKey, {member: value for member, value in given.items() if value is not None})
    with _open_service() as service:
        _, secret = service.write(
            lambda tx: keys.create_key(
                service, tx, SYSTEM, name=command.name, roles=command.roles, source=command.source,
                login=command.user, expires_at=command.expires_at,
            )
        )  # fmt: skip
    out.print(secret)


@key_app.command("revoke", epilog="Example: complaints key revoke cc-north")
def key_revoke(name: str) -> None:
    """Revoke a key for good. Every process refuses it within seconds."""
    from complaints.use_cases.access import SYSTEM
    from complaints.use_cases.configuration import keys

    with _open_service() as service:
        found = [key for key in service.read(keys.list_keys) if key.name == name]
        if not found:
            raise NotFound(f"There is no key {name!r}.")
        service.write(lambda tx: keys.revoke_key(service, tx, SYSTEM, found[0].id))
    out.print(f"{name} is revoked.")


@key_app.command("list", epilog="Example: complaints key list")
def key_list() -> None:
    """List the keys."""
    from rich.table import Table

    from complaints.use_cases.configuration import keys

    listed = Table("Name", "Roles", "Source", "User", "Expires", "Revoked", box=None)
    with _open_service() as service:
        for key in service.read(keys.list_keys):
            ends = [instant.isoformat() if instant else "" for instant in (key.expires_at, key.revoked_at)]
            listed.add_row(key.name, ", ".join(sorted(key.roles)), key.source, key.login or "", *ends)
    out.print(listed)


@app.command(epilog="Example: complaints openapi > openapi.json")
def openapi() -> None:
    """Print the OpenAPI document of the API."""
    from complaints.wiring import openapi_document

    sys.stdout.write(openapi_document())
