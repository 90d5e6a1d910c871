"""The commands that run until a signal ends them: `serve` and `worker`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from complaints.cli.console import LogLevel, describe_first_key, err, out, read_settings
from complaints.serving.process import collector_at_rest

if TYPE_CHECKING:
    import socket

    from fastapi import FastAPI

    from complaints.api.feature import Annexes
    from complaints.serving.http_server import DrainingServer
    from complaints.settings import Settings
    from complaints.use_cases.service import Service
    from complaints.wiring import FirstKey


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
    with collector_at_rest():
        from complaints import wiring

    settings = read_settings(host=host, port=port, log_level=log_level)
    annexes = _open_annexes(settings)
    service, first_key = wiring.prepare(settings)
    listeners = wiring.listen(settings)
    if settings.listen_fd is None:
        _print_start(settings, listeners[0].getsockname()[1], first_key)
    if len(listeners) > 1:
        service.close()
        raise typer.Exit(_supervise(listeners, settings))
    _serve_on(listeners[0], service, settings, annexes)


def _open_annexes(settings: "Settings") -> "Annexes":
    """The annexes. Says which variables are misspelt settings; a supervisor says it for its processes."""
    from complaints import wiring

    annexes = wiring.open_annexes()
    if settings.listen_fd is None:
        for line in wiring.describe_unknown_settings(annexes):
            err.print(line)
    return annexes


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
    from complaints.serving.measures import open_registries

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
    server = _make_server(application, settings)
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


def _make_server(application: "FastAPI", settings: "Settings") -> "DrainingServer":
    """The HTTP server of the application. It tells the supervisor, if there is one, when it is ready."""
    from complaints.serving.http_server import DrainingServer, server_config
    from complaints.serving.supervisor import report_to_supervisor

    line = settings.supervisor_fd
    return DrainingServer(
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


def _print_start(settings: "Settings", port: int, first_key: "FirstKey | None") -> None:
    """Print the address, a new first key, and how to post a first complaint."""
    from complaints.wiring import KEY_FILE

    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{port}"
    key_file = settings.data_dir / KEY_FILE
    lines = [f"Complaints is served at {address} (the API is described at {address}/docs).", ""]
    if first_key:
        lines += [*describe_first_key(first_key), ""]
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


def worker(log_level: LogLevel = None) -> None:
    """Watch the deadlines and work on imports, without serving the API. Any number may run at once.

    COMPLAINTS_METRICS_PORT=9100 answers /metrics there.
    """
    import signal
    import threading

    with collector_at_rest():
        from complaints import wiring
    from complaints.serving.measures import open_registries

    settings = read_settings(log_level=log_level)
    annexes = _open_annexes(settings)
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
