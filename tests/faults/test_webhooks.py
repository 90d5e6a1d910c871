"""Senders and receivers of webhooks are killed at random, and a tenth of the receivers is slow, failing or hanging."""

import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from standardwebhooks import Webhook as Verifier

from complaints.api.feature import Annexes
from complaints.features.registry import FEATURES
from complaints.features.webhooks.rules import WebhookStatus
from complaints.features.webhooks.tables.subscriptions import list_webhooks
from complaints.storage.rows.escalation import escalation
from complaints.use_cases.service import Service
from complaints.wiring import check, wall_now
from tests.faults.conftest import ScenarioReport, Size, opened
from tests.http_receiver import HttpReceiver, ReceivedPost, ReceiverAnswer, http_receiver
from tests.journeys.storm import Storm

TIMEOUT_SECONDS = 1
SETTINGS = {"webhook_allow": "127.0.0.1", "COMPLAINTS_WEBHOOKS_TIMEOUT_SECONDS": TIMEOUT_SECONDS}
BODY = {"channel": "phone", "subject": "No signal"}
RESPOND = {"action": "respond", "message": "We look into it.", "contact_channel": "phone"}


@dataclass
class ReceiverProcess:
    """A receiver that is killed and started again at the same port. `file` has all that it took."""

    port: int
    file: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        command = [sys.executable, "-m", "tests.faults.webhook_receiver", str(self.port), str(self.file)]
        self.process = subprocess.Popen(command)

    def kill(self) -> None:
        """`kill -9`."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def messages(self, secret: str) -> list[dict[str, Any]]:
        """The messages in the order in which they were taken. Each signature is verified."""
        if not self.file.exists():
            return []
        lines = [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]
        return [_read(line["headers"], line["body"], secret) for line in lines]


def _read(headers: dict[str, str], body: str, secret: str) -> dict[str, Any]:
    """The message with its id. Its signature is made again, since `verify` refuses what is older than 5 minutes."""
    message_id, at = headers["webhook-id"], datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert Verifier(secret).sign(message_id, at, body) in headers["webhook-signature"].split()
    return {**json.loads(body), "id": message_id}


@contextmanager
def receiver_process(directory: Path) -> Iterator[ReceiverProcess]:
    """A receiver that runs until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    receiver = ReceiverProcess(port, directory / "received.ndjson")
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.kill()


def make_events(http: httpx2.Client, count: int, has_ended: threading.Event) -> None:
    """At least `count` events, and more until the end: each complaint has three and more."""
    made = 0
    while made < count or not has_ended.is_set():
        path = f"/v1/complaints/{http.post('/v1/complaints', json=BODY).json()['id']}"
        http.post(f"{path}/transitions", json=RESPOND).raise_for_status()
        http.post(f"{path}/notes", json={"text": "Seen."}).raise_for_status()
        made += 3
        time.sleep(0.02 if made < count else 0.2)


def in_order(messages: Sequence[dict[str, Any]]) -> bool:
    """True if the first deliveries of each complaint are in the order of its history."""
    seen: set[str] = set()
    last: dict[str, int] = {}
    for message in messages:
        if message["id"] not in seen:
            seen.add(message["id"])
            subject, number = message["data"]["subject"]["id"], message["data"]["sequence"]
            if number < last.get(subject, 0):
                return False
            last[subject] = number
    return True


def breaches(service: Service) -> list[str]:
    """The faults that `complaints check` finds, also in webhooks."""
    return [str(one) for one in check(service, Annexes(FEATURES), progress=lambda _: None)]


def await_quiet(service: Service, *, seconds: float) -> None:
    """Wait until nothing is pending for an active webhook and no lease is held."""
    end = time.monotonic() + seconds

    def is_quiet(tx: Any) -> bool:
        assert all(one.status is WebhookStatus.ACTIVE for one in list_webhooks(tx))
        waiting = "SELECT count(*) FROM webhook WHERE wake_at IS NOT NULL OR lease_id IS NOT NULL"
        behind = "SELECT max(sequence) > (SELECT after FROM follower WHERE name = 'webhooks') FROM event"
        ask = tx.connection.exec_driver_sql
        return not ask(waiting).scalar() and not ask(behind).scalar()

    while not service.read(is_quiet):
        assert time.monotonic() < end, "the webhooks are not through"
        time.sleep(0.1)


@pytest.mark.parametrize("killed", ["senders", "receiver"])
def test_killed_senders_and_receivers(
    killed: str,
    postgres_url: str,
    start_fleet: Callable[[str], Any],
    tmp_path: Path,
    size: Size,
    report: ScenarioReport,
) -> None:
    report.fault = f"The {killed} of webhooks killed at random (PostgreSQL)"
    events, kills, dice = size.pick(120, 1000), size.pick(3, 40), random.Random(3)
    with (
        opened(postgres_url) as service,
        start_fleet(postgres_url) as fleet,
        receiver_process(tmp_path) as receiver,
    ):
        api = fleet.add_api(**SETTINGS)
        workers = [fleet.add_worker(**SETTINGS) for _ in range(2)]
        fleet.await_ready()
        with fleet.client(api) as http:
            body = {"url": f"http://127.0.0.1:{receiver.port}/", "exclude_actors": []}
            webhook = http.post("/v1/webhooks", json=body).json()
            has_ended = threading.Event()
            maker = threading.Thread(target=make_events, args=[http, events, has_ended])
            maker.start()
            for _ in range(kills):
                # A message that fails twice waits for five minutes, so a receiver is left alone for a while.
                time.sleep(dice.uniform(0.2, size.pick(1.0, 9.0)))
                if killed == "senders":
                    fleet.kill_one(dice, workers)
                else:
                    receiver.kill()
                    time.sleep(dice.uniform(0.0, 0.3))
                    receiver.start()
            has_ended.set()
            maker.join()
            await_quiet(service, seconds=size.pick(60, 900))
            feed = [e["id"] for e in read_feed(http)]
        messages = receiver.messages(webhook["secret"])
        found = breaches(service)
        report.count(kills=kills, events=len(feed), messages=len(messages))
        assert len(feed) >= events
        assert {message["id"] for message in messages} == set(feed)
        assert in_order(messages)
        assert found + fleet.failures(allowed=["Unavailable"]) == []


def read_feed(http: httpx2.Client) -> list[dict[str, Any]]:
    """Every event of the history."""
    items: list[dict[str, Any]] = []
    after = ""
    while True:
        page = http.get("/v1/changes", params={"after": after, "limit": 1000}).json()
        if not page["items"]:
            return items
        items, after = [*items, *page["items"]], page["next_cursor"]


def _slow(_post: ReceivedPost) -> ReceiverAnswer:
    time.sleep(4)
    return ReceiverAnswer(200)


def _hanging(_post: ReceivedPost) -> ReceiverAnswer:
    time.sleep(30)
    return ReceiverAnswer(drop=True)


def _failing(_post: ReceivedPost) -> ReceiverAnswer:
    return ReceiverAnswer(500)


def _resetting(_post: ReceivedPost) -> ReceiverAnswer:
    return ReceiverAnswer(drop=True)


BAD = (_slow, _hanging, _failing, _resetting)


def test_a_tenth_of_the_receivers_is_bad(
    postgres_url: str, start_fleet: Callable[[str], Any], size: Size, report: ScenarioReport
) -> None:
    report.fault = "A tenth of the webhook receivers slow, hanging, failing or resetting"
    receivers, seconds, pause = size.pick(20, 100), size.pick(6, 60), size.pick(0.2, 0.5)
    bad = receivers // 10
    with (
        opened(postgres_url) as service,
        start_fleet(postgres_url) as fleet,
        http_receiver() as good,
        ExitStack() as stack,
    ):
        api = fleet.add_api(webhook_allow="127.0.0.1")
        fleet.add_worker(webhook_allow="127.0.0.1")
        fleet.await_ready()
        storm = Storm(service)
        storm.raise_wave(size.pick(60, 600), seconds=seconds)
        begun = wall_now()
        with fleet.client(api) as http:
            for number in range(bad):
                broken = stack.enter_context(http_receiver())
                broken.answer = BAD[number % len(BAD)]
                subscribe(http, broken, number)
            for number in range(receivers - bad):
                subscribe(http, good, number)
            posted = post_steadily(http, seconds, pause)
            expected = len(posted) * (receivers - bad)
            good.wait_for(expected, seconds=30)
        storm.await_end()
        taken = sorted(post.at - posted[json.loads(post.body)["data"]["id"]] for post in good.posts)
        p95, late = taken[int(len(taken) * 0.95)], worst_lag(service, begun)
        report.count(receivers=receivers, bad=bad, messages=len(taken))
        report.count(p95_seconds=round(p95, 2), latest_step_seconds=round(late, 2))
        assert len(taken) == expected
        assert p95 <= 5
        assert late <= 1.5
        assert storm.breaches() == []


def subscribe(http: httpx2.Client, receiver: HttpReceiver, number: int) -> None:
    """A subscription to new complaints."""
    body = {"url": f"{receiver.url}/{number}", "event_types": ["complaint.created"], "exclude_actors": []}
    assert http.post("/v1/webhooks", json=body).status_code == 201


def post_steadily(http: httpx2.Client, seconds: float, pause: float) -> dict[str, float]:
    """Post complaints for some seconds. The times of the answers, by complaint."""
    posted: dict[str, float] = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        made = http.post("/v1/complaints", json=BODY)
        posted[made.json()["id"]] = time.monotonic()
        time.sleep(pause)
    return posted


def worst_lag(service: Service, begun: datetime) -> float:
    """How late a step that fell due after `begun` was taken at most, in seconds."""
    with service.database.read() as tx:
        rows = tx.connection.execute(
            select(escalation.c.planned_at, escalation.c.taken_at).where(escalation.c.planned_at > begun)
        ).all()
    return max((row.taken_at - row.planned_at).total_seconds() for row in rows)
