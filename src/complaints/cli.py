"""The command line. Every command says what it does and gives an example."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from prometheus_client import CollectorRegistry
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from complaints import wiring
from complaints.api.logs import configure_logging
from complaints.api.server import server_config
from complaints.domain.errors import ComplaintError
from complaints.settings import Settings

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
        err.print(refusal.detail, markup=False)
        for fault in refusal.faults:
            err.print(f"  {fault.pointer or '/'}: {fault.message}", markup=False)
        sys.exit(1)
    except wiring.NotReady as trouble:
        err.print(str(trouble), markup=False)
        sys.exit(1)
    except ValidationError as error:
        for fault in error.errors():
            name = "COMPLAINTS_" + "_".join(str(part) for part in fault["loc"]).upper()
            err.print(f"{name}: {fault['msg']}", markup=False)
        sys.exit(1)


@app.command(epilog="Example: COMPLAINTS_PORT=9000 complaints serve")
def serve() -> None:
    """Serve the API and, unless COMPLAINTS_SCHEDULER=0, watch the deadlines in this process."""
    configure_logging()
    settings = Settings()
    engine, first_key = wiring.prepare(settings)
    registry = CollectorRegistry()
    application = wiring.build_app(engine, settings, registry)
    _tell_start(settings, first_key)
    loops = wiring.build_loops(engine, registry) if settings.scheduler else None
    try:
        if loops:
            loops.start()
        uvicorn.Server(server_config(application, host=settings.host, port=settings.port)).run()
    finally:
        if loops:
            loops.stop()
        engine.database.engine.dispose()


def _tell_start(settings: Settings, first_key: wiring.FirstKey | None) -> None:
    address = f"http://{settings.host}:{settings.port}"
    key_file = settings.data_dir / wiring.KEY_FILE
    lines = [f"Complaints is served at {address} (the API is described at {address}/docs).", ""]
    if first_key:
        lines += [f"Your first key, kept in {first_key.path}:", f"    {first_key.secret}", ""]
    if settings.bootstrap_api_key:
        secret = "$COMPLAINTS_BOOTSTRAP_API_KEY"
    else:
        secret = f"$(cat {key_file})"
    lines += [
        "Post a first complaint:",
        f"    curl -s {address}/v1/complaints \\",
        f'      -H "Authorization: Bearer {secret}" \\',
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
    engine, _ = wiring.prepare(settings)
    loops = wiring.build_loops(engine, CollectorRegistry())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    loops.start()
    out.print("Watching the deadlines; end with Ctrl-C.")
    sys.stdout.flush()
    try:
        stop.wait()
    finally:
        loops.stop()
        engine.database.engine.dispose()


@app.command(epilog="Example: COMPLAINTS_DATABASE_URL=postgresql://db/complaints complaints migrate")
def migrate() -> None:
    """Bring the database to the newest schema; a fresh one is filled with policy, categories and teams."""
    settings = Settings()
    engine, first_key = wiring.migrate_and_seed(settings)
    engine.database.engine.dispose()
    out.print("The database is at the newest schema.")
    if first_key:
        out.print(f"Your first key, kept in {first_key.path}:\n    {first_key.secret}", markup=False)


@contextmanager
def _engine() -> Iterator[wiring.Engine]:
    with wiring.opened(Settings()) as engine:
        yield engine


_ = (Annotated, Path, Table)
