"""How `complaints serve` starts, refuses to start, and ends."""

import os
import signal
import socket
import stat
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from complaints.wiring import wall_now
from tests.journeys.running_server import Launcher, RunningServer
from tests.support import ADMIN_SECRET

POST = {"channel": "phone", "subject": "No signal"}


def _key(launcher: Launcher) -> str:
    return (launcher.directory / "var" / "first-key").read_text().strip()


def _refusal(launcher: Launcher, *, url: str | None = None, **settings: Any) -> str:
    """What a `serve` that refuses says, without a stack trace, before it exits with 1."""
    server = launcher.serve(url, ready=False, **settings)
    assert server.wait() == 1, server.output
    assert "Traceback" not in server.output
    return server.output


def test_serves_from_any_directory_and_keeps_its_first_key(launcher: Launcher) -> None:
    """The embedded database is migrated and seeded at the first start, in a directory without a file of the product."""
    first = launcher.serve(is_new=True)
    secret = _key(launcher)
    data = launcher.directory / "var"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (data, *data.iterdir())}
    database = ("complaints.db", "complaints.db-shm", "complaints.db-wal")
    assert modes == {"var": 0o700, "first-key": 0o600, **dict.fromkeys(database, 0o600)}
    assert secret not in first.output  # its output is not a terminal, and may be kept as a log
    assert "Your first key is in " in first.output
    assert f"{first.url}/docs" in first.output
    with first.client(secret) as http:
        made = http.post("/v1/complaints", json=POST)
        assert made.status_code == 201
    assert first.terminate() == 0

    (data / "complaints.db").chmod(0o644)
    second = launcher.serve()
    assert stat.S_IMODE((data / "complaints.db").stat().st_mode) == 0o600
    assert secret not in second.output
    assert _key(launcher) == secret
    with second.client(secret) as http:
        assert http.get(f"/v1/complaints/{made.json()['number']}").json()["id"] == made.json()["id"]


def test_a_key_may_be_given_and_is_not_printed(launcher: Launcher) -> None:
    given = "given-by-the-environment-0123"
    server = launcher.serve(bootstrap_api_key=given)
    assert given not in server.output
    assert not (launcher.directory / "var" / "first-key").exists()
    with server.client(given) as http:
        assert http.post("/v1/complaints", json=POST).status_code == 201
    with server.client(f"{given}4") as http:
        assert http.post("/v1/complaints", json=POST).status_code == 401


def test_a_short_key_is_refused(launcher: Launcher) -> None:
    said = _refusal(launcher, bootstrap_api_key="x" * 23)
    assert "COMPLAINTS_BOOTSTRAP_API_KEY" in said
    assert "at least 24 characters" in said
    assert "x" * 23 not in said


def test_a_postgresql_that_is_not_migrated_is_refused(
    launcher: Launcher, empty_database_url: Callable[[str], str]
) -> None:
    url = empty_database_url("postgresql")
    assert "complaints migrate" in _refusal(launcher, url=url)

    migrated = launcher.run("migrate", url=url)
    assert migrated.wait() == 0, migrated.output
    server = launcher.serve(url)
    with server.client(_key(launcher)) as http:
        assert http.post("/v1/complaints", json=POST).status_code == 201


def test_a_postgresql_out_of_reach_is_reported(launcher: Launcher, tmp_path: Path) -> None:
    said = _refusal(launcher, url=f"postgresql://nobody@/nothing?host={tmp_path}")
    assert "The database cannot be reached" in said


def test_a_sandbox_is_one_for_good(launcher: Launcher, database_url: str) -> None:
    assert "set COMPLAINTS_SANDBOX=1" in _refusal(launcher, url=database_url)


def test_a_house_in_operation_does_not_become_a_sandbox(
    launcher: Launcher, operating_url: Callable[[str], str]
) -> None:
    url = operating_url("sqlite")
    server = launcher.serve(url)
    with server.client(ADMIN_SECRET) as http:
        assert http.get("/v1/sandbox/clock").status_code == 404
        assert http.post("/v1/sandbox/clock/advance", json={"by": "PT1H"}).status_code == 404
    server.terminate()
    assert "needs a database created so" in _refusal(launcher, url=url, sandbox=1)


def test_a_database_created_as_a_sandbox_has_a_clock_that_stands_still(launcher: Launcher) -> None:
    server = launcher.serve(sandbox=1)
    with server.client(_key(launcher)) as http:
        first = http.get("/v1/sandbox/clock").json()["now"]
        assert http.get("/v1/sandbox/clock").json()["now"] == first
    now = datetime.fromisoformat(first)
    assert timedelta(0) <= wall_now() - now < timedelta(minutes=2)
    assert now.microsecond == 0


def test_a_taken_port_is_reported(launcher: Launcher, operating_url: Callable[[str], str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = _refusal(launcher, url=operating_url("sqlite"), port=port)
    assert f"Cannot listen at 127.0.0.1, port {port}" in said
    assert "COMPLAINTS_PORT" in said
    assert "is served at" not in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_under_way_is_answered_before_the_end(
    launcher: Launcher, operating_url: Callable[[str], str], number: signal.Signals
) -> None:
    server = launcher.serve(operating_url("sqlite"))
    body = b'{"channel": "phone", "subject": "No signal"}'
    head = (
        "POST /v1/complaints HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {ADMIN_SECRET}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=10) as client:
        client.sendall(head.encode() + body[:10])
        time.sleep(0.3)  # the request has begun
        os.kill(server.process.pid, number)
        server.wait_for("Shutting down")
        client.sendall(body[10:])
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert server.wait(5) == 0, server.output


def test_a_worker_ends_in_good_order(launcher: Launcher, operating_url: Callable[[str], str]) -> None:
    worker = launcher.run("worker", url=operating_url("sqlite"), is_new=True)
    worker.wait_for("Watching the deadlines")
    assert worker.terminate(5) == 0, worker.output


def test_a_node_without_a_scheduler_leaves_the_deadlines_to_a_worker(
    launcher: Launcher, operating_url: Callable[[str], str]
) -> None:
    url = operating_url("sqlite")
    server = launcher.serve(url, scheduler=0)
    sweep = _sweep_of(server)
    assert (sweep["alive"], sweep["last_tick_at"]) == (False, None)

    worker = launcher.run("worker", url=url)
    worker.wait_for("Watching the deadlines")
    deadline = time.monotonic() + 20
    while not _sweep_of(server)["alive"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _sweep_of(server: RunningServer) -> dict[str, object]:
    with server.client() as http:
        sweep: dict[str, object] = http.get("/readyz").json()["sweep"]
    return sweep
