"""The primary dies during intake: the synchronous replica takes over, and nothing acknowledged is lost."""

import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
import pytest

from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.service import Service
from complaints.wiring import new_id, wall_clock
from tests.faults.patroni_pair import Pair, PatroniUnavailable, patroni_pair
from tests.journeys.running_server import RunningServer, launching
from tests.support import check_all

SECRET = "given-by-the-environment-0123"
CLIENTS = 4
ENOUGH = 40  # acknowledged before the primary dies, and again after it
PATIENCE_SECONDS = 300.0


class Journal:
    """The answers that clients got, on disk before they go on."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")
        self.path = path
        self.count = 0

    def acknowledged(self, key: str, complaint: dict[str, Any]) -> None:
        """Note a 201."""
        with self._lock:
            answer = {"key": key, "id": complaint["id"], "subject": complaint["subject"]}
            self._file.write(json.dumps(answer) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
            self.count += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self) -> list[dict[str, str]]:
        """Everything noted, from the disk."""
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]


def take_in(url: str, journal: Journal, stopping: threading.Event) -> None:
    """Post one complaint after the other; what is not acknowledged is posted again, by the same key."""
    headers = {"Authorization": f"Bearer {SECRET}"}
    with httpx2.Client(base_url=url, headers=headers, timeout=60) as http:
        while not stopping.is_set():
            key = str(uuid4())
            body = {"channel": "phone", "subject": f"No signal {key}"}
            while not stopping.is_set():
                answer = http.post("/v1/complaints", json=body, headers={"Idempotency-Key": key})
                if answer.status_code == 201:
                    journal.acknowledged(key, answer.json())
                    break
                # Away, or the answer is still being made by the attempt before.
                assert answer.status_code in (503, 409), answer.text
                time.sleep(0.2)


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two servers under Patroni."""
    home = Path(tempfile.mkdtemp(prefix="complaints-ha-", dir="/tmp"))
    try:
        with patroni_pair(home) as opened:
            yield opened
    except PatroniUnavailable as failure:
        pytest.skip(f"no failover: {failure}")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def test_a_dead_primary_is_followed_by_its_replica_and_nothing_acknowledged_is_lost(
    pair: Pair, tmp_path: Path
) -> None:
    journal, stopping = Journal(tmp_path / "journal"), threading.Event()
    with launching(tmp_path) as launcher:
        migrated = launcher.run("migrate", url=pair.url, bootstrap_api_key=SECRET)
        assert migrated.wait(PATIENCE_SECONDS) == 0, migrated.output
        server = launcher.serve(pair.url, bootstrap_api_key=SECRET, ready=False)
        _await_ready(server)
        clients = [
            threading.Thread(target=take_in, args=(server.url, journal, stopping)) for _ in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        _await_count(journal, ENOUGH)

        first = pair.leader()
        assert first is not None
        before, died_at = journal.count, time.monotonic()
        first.kill()
        _await_count(journal, before + ENOUGH)
        away_seconds = time.monotonic() - died_at
        stopping.set()
        for client in clients:
            client.join()
        journal.close()
        second = pair.leader()
        assert second is not None
        assert second is not first
        assert server.process.poll() is None  # the same process went on
        assert httpx2.get(f"{server.url}/readyz", timeout=30).status_code == 200
    report = (
        f"{before} acknowledged before, {journal.count - before} after; resumed within {away_seconds:.0f} s"
    )
    (tmp_path / "report").write_text(report)

    _assert_kept(pair, journal)


def _await_ready(server: RunningServer) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "startup complete" not in server.output:
        assert server.process.poll() is None, server.output
        assert time.monotonic() < deadline
        time.sleep(0.1)
    server.wait_ready()


def _await_count(journal: Journal, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while journal.count < count:
        assert time.monotonic() < deadline, f"{journal.count} of {count} were acknowledged"
        time.sleep(0.1)


def _assert_kept(pair: Pair, journal: Journal) -> None:
    leader = pair.leader()
    assert leader is not None
    with psycopg.connect(host=str(pair.home), port=leader.port, user="postgres") as connection:
        stored = connection.execute("SELECT subject, id::text FROM complaint").fetchall()
    assert len({subject for subject, _ in stored}) == len(stored)  # one for each key
    answers = journal.read()
    assert {(one["subject"], one["id"]) for one in answers} <= set(stored)
    assert len(stored) - len(answers) <= CLIENTS  # those under way when we stopped
    database = Database(open_engine(pair.url), wall_clock)
    assert list(check_all(Service(database, new_id))) == []
    database.close()
