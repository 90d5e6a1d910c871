"""Many processes on one PostgreSQL: they share a port and the deadlines, and are replaced under load."""

import http.client
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.service import Service
from complaints.wiring import new_id, wall_clock, wall_now
from tests.journeys.running_server import PATIENCE_SECONDS, Launcher, RunningServer, await_true
from tests.support import ADMIN_SECRET, check_all

# Writes down which process made what, as the database sees it.
WITNESS = """
CREATE TABLE witness (what text, node text, id uuid);
CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        INSERT INTO witness VALUES (TG_TABLE_NAME, current_setting('application_name'), NEW.id);
        RETURN NEW;
    END $$;
CREATE TRIGGER witness AFTER INSERT ON complaint FOR EACH ROW EXECUTE FUNCTION witness();
CREATE TRIGGER witness AFTER INSERT ON escalation FOR EACH ROW EXECUTE FUNCTION witness();
"""


@pytest.fixture
def url(migrated_database_url: Callable[[str], str]) -> str:
    """A PostgreSQL database of a house in operation: a sandbox that is none any more."""
    made = migrated_database_url("postgresql")
    with psycopg.connect(made) as connection:
        connection.execute("DELETE FROM sandbox_clock")
    return made


def serve(launcher: Launcher, url: str, *, processes: int, **settings: Any) -> RunningServer:
    """A port served by so many processes, all of them up: forks, or where `is_new` asks for it new interpreters."""
    server = launcher.serve(url, ready=False, processes=processes, **settings)
    await_true(lambda: server.output.count("startup complete") == processes)
    server.wait_ready()
    return server


def children(server: RunningServer) -> list[int]:
    """The processes that serve."""
    pid = server.process.pid
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Client(threading.Thread):
    """Posts and reads over kept-alive connections, retries nothing, and notes the answers."""

    def __init__(self, url: str, stopping: threading.Event, *, late_hours: Sequence[float] = (0,)) -> None:
        super().__init__()
        self._address = url.removeprefix("http://")
        self._stopping = stopping
        self._late_hours = late_hours
        self._dice = random.Random(self.name)
        self.posted: list[str] = []
        self.failures: list[str] = []
        self.connections = 0

    def run(self) -> None:
        """Post and read until `stopping` is set."""
        connection = http.client.HTTPConnection(self._address, timeout=30)
        while not self._stopping.is_set():
            try:
                self._post_and_read(connection)
            except (OSError, http.client.HTTPException) as failure:
                self.failures.append(repr(failure))
                connection.close()
            time.sleep(self._dice.uniform(0, 0.4))
        connection.close()

    def _post_and_read(self, connection: http.client.HTTPConnection) -> None:
        received_at = wall_now() - timedelta(hours=self._dice.choice(self._late_hours))
        body = f'{{"channel": "phone", "subject": "No signal", "received_at": "{received_at.isoformat()}"}}'
        made = self._ask(connection, "POST", "/v1/complaints", body)
        if made is not None:
            self.posted.append(made["id"])
            self._ask(connection, "GET", f"/v1/complaints/{made['id']}", None)

    def _ask(self, connection: http.client.HTTPConnection, *request: Any) -> dict[str, Any] | None:
        method, path, body = request
        self.connections += connection.sock is None
        headers = {"Authorization": f"Bearer {ADMIN_SECRET}", "Content-Type": "application/json"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status not in (200, 201):
            self.failures.append(f"{answer.status} {content.decode()[:200]}")
            return None
        made: dict[str, Any] = json.loads(content)
        return made


@contextmanager
def load(url: str, count: int, **options: Any) -> Iterator[list[Client]]:
    """Clients at work while the block lasts."""
    stopping = threading.Event()
    clients = [Client(url, stopping, **options) for _ in range(count)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        stopping.set()
        for client in clients:
            client.join()


def all_of(clients: Sequence[Client], name: str) -> list[str]:
    """What all clients noted together."""
    return [one for client in clients for one in getattr(client, name)]


def ask(url: str, question: str) -> list[Any]:
    """The rows that answer a question in SQL."""
    with psycopg.connect(url) as connection:
        return connection.execute(question).fetchall()  # type: ignore[arg-type]


def measured(server: RunningServer) -> float:
    """The number of complaints that the processes registered, as one of them shows it."""
    with server.client() as http:
        lines = http.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("complaints_registered_total"))


def assert_sound(url: str) -> None:
    """Every invariant holds."""
    database = Database(open_engine(url), wall_clock)
    assert list(check_all(Service(database, new_id))) == []
    database.close()


def test_three_processes_behind_one_port_and_three_workers(launcher: Launcher, url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(WITNESS)
    server = serve(launcher, url, processes=3, scheduler=0)
    workers = [launcher.run("worker", url=url) for _ in range(3)]
    for worker in workers:
        worker.wait_for("Watching the deadlines", PATIENCE_SECONDS)

    # The first steps of the built-in ladders stand at 12 and 19.2 hours: 12 hours late falls due at once.
    with load(server.url, 12, late_hours=(12, 19.2, 30)) as clients:
        await_true(lambda: ask(url, "SELECT count(*) FROM escalation")[0][0] > 400)
    await_true(lambda: not ask(url, "SELECT 1 FROM complaint WHERE wake_at <= now() LIMIT 1"))

    assert all_of(clients, "failures") == []
    stored = [str(identity) for (identity,) in ask(url, "SELECT id FROM complaint")]
    assert Counter(stored) == Counter(all_of(clients, "posted"))
    assert ask(url, "SELECT count(*), count(DISTINCT (deadline_id, step)) FROM escalation") == ask(
        url, "SELECT count(*), count(*) FROM witness WHERE what = 'escalation'"
    )
    took_part = ask(url, "SELECT what, count(DISTINCT node) FROM witness GROUP BY what ORDER BY what")
    assert took_part == [("complaint", 3), ("escalation", 3)]
    assert_sound(url)


def test_processes_are_replaced_under_load_without_a_failed_request(launcher: Launcher, url: str) -> None:
    server = serve(launcher, url, processes=3, scheduler=0, drain_seconds=2)
    first = children(server)
    with load(server.url, 6) as clients:
        time.sleep(1)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("every process was replaced", PATIENCE_SECONDS)
        second = children(server)
        # One that is asked to end by itself is followed by another; who connects meanwhile waits for that.
        os.kill(second[0], signal.SIGTERM)
        server.wait_for("another takes its place")
        await_true(lambda: len(children(server)) == 3)
        time.sleep(3)

    assert all_of(clients, "failures") == []
    assert len(set(first) | set(second)) == 6
    assert second[0] not in children(server)
    assert sum(client.connections for client in clients) >= 2 * len(clients)  # each was asked to leave
    stored = [str(identity) for (identity,) in ask(url, "SELECT id FROM complaint")]
    assert Counter(stored) == Counter(all_of(clients, "posted"))
    await_true(lambda: {measured(server) for _ in range(9)} == {float(len(stored))})
    assert server.terminate() == 0, server.output


def test_a_process_that_dies_is_followed_by_another(launcher: Launcher, url: str) -> None:
    server = serve(launcher, url, processes=2, is_new=True)
    time.sleep(1)  # one that dies younger than a second is not replaced at once
    dead = children(server)[0]
    os.kill(dead, signal.SIGKILL)
    await_true(lambda: len(children(server)) == 2 and dead not in children(server))
    with load(server.url, 4) as clients:
        await_true(lambda: len(all_of(clients, "posted")) > 20)
    assert all_of(clients, "failures") == []
    assert server.terminate() == 0, server.output


@pytest.mark.parametrize("when", ["serving", "starting"])
def test_processes_end_with_a_supervisor_that_is_killed(launcher: Launcher, url: str, when: str) -> None:
    server = launcher.serve(url, ready=when == "serving", processes=2)
    await_true(lambda: len(children(server)) == 2)
    left = children(server)
    server.kill()
    await_true(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))


def test_a_port_that_is_taken_is_not_shared_by_accident(launcher: Launcher, url: str) -> None:
    first = serve(launcher, url, processes=2)
    port = first.url.rpartition(":")[2]
    second = launcher.serve(url, processes=2, port=port, ready=False)
    assert second.wait() == 1
    assert f"Cannot listen at 127.0.0.1, port {port}" in second.output
