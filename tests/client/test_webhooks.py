"""A receiver takes a signed webhook once, and refuses everything else."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from complaints.wiring import wall_now
from complaints_client.webhooks import BadWebhook, SeenIdsFile, WebhookReceiver

OLD, NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
EVENT = {"type": "complaint.created", "timestamp": "2026-11-29T10:00:00Z", "data": {"number": "C000000013"}}
BODY = json.dumps(EVENT).encode()


def signed(
    *secrets: str, body: bytes = BODY, age: timedelta = timedelta(0), name: str = "msg_1"
) -> dict[str, str]:
    """Headers as a sender makes them: one signature for each secret."""
    at = wall_now().replace(tzinfo=UTC) - age
    marks = [Webhook(secret).sign(name, at, body.decode()) for secret in secrets]
    return {
        "Webhook-Id": name,
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": " ".join(marks),
    }


@pytest.fixture
def worked_on() -> list[Any]:
    return []


def receiver(tmp_path: Path, *secrets: str) -> WebhookReceiver:
    return WebhookReceiver(secrets or OLD, SeenIdsFile(tmp_path / "seen.sqlite3"))


def test_a_repeated_webhook_is_worked_on_once(tmp_path: Path, worked_on: list[Any]) -> None:
    for expected in (True, False):  # also after a restart
        assert receiver(tmp_path).receive(signed(OLD), BODY, worked_on.append) is expected
    assert receiver(tmp_path).receive(signed(OLD, name="msg_2"), BODY, worked_on.append)
    assert worked_on == [EVENT, EVENT]


def test_a_webhook_whose_work_failed_is_worked_on_again(tmp_path: Path, worked_on: list[Any]) -> None:
    def fail(_: object) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        receiver(tmp_path).receive(signed(OLD), BODY, fail)
    assert receiver(tmp_path).receive(signed(OLD), BODY, worked_on.append)


def test_one_webhook_that_comes_twice_at_once_is_worked_on_once(tmp_path: Path, worked_on: list[Any]) -> None:
    shared, headers = receiver(tmp_path), signed(OLD)

    def work(event: object) -> None:
        time.sleep(0.05)
        worked_on.append(event)

    threads = [threading.Thread(target=shared.receive, args=(headers, BODY, work)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worked_on == [EVENT]


@pytest.mark.parametrize(
    ("sender", "known"), [((OLD,), (OLD, NEW)), ((NEW,), (OLD, NEW)), ((OLD, NEW), (NEW,))]
)
def test_a_secret_may_rotate_on_either_side(
    tmp_path: Path, sender: tuple[str, ...], known: tuple[str, ...]
) -> None:
    assert receiver(tmp_path, *known).verify(signed(*sender), BODY)["data"]["number"] == "C000000013"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (signed(NEW), BODY),
        (signed(OLD), BODY + b" "),
        ({**signed(OLD), "Webhook-Id": "msg_2"}, BODY),
        ({**signed(OLD), "Webhook-Signature": "v1"}, BODY),
        ({**signed(OLD), "Webhook-Signature": "v1,ä"}, BODY),
        ({**signed(OLD), "Webhook-Timestamp": "nan"}, BODY),
        ({}, BODY),
        (signed(OLD), b"\xff"),
        (signed(OLD, body=b"[]"), b"[]"),
        (signed(OLD, body=b"{"), b"{"),
        (signed(OLD, body=b'{"data": {}}'), b'{"data": {}}'),
    ],
)
def test_anything_else_is_refused(
    tmp_path: Path, worked_on: list[Any], headers: dict[str, str], body: bytes
) -> None:
    with pytest.raises(BadWebhook):
        receiver(tmp_path).receive(headers, body, worked_on.append)
    assert worked_on == []


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_webhook_from_another_time_is_refused(tmp_path: Path, minutes: int) -> None:
    with pytest.raises(BadWebhook, match="timestamp"):
        receiver(tmp_path).verify(signed(OLD, age=timedelta(minutes=minutes)), BODY)


def test_the_published_vector_has_the_signature_that_the_library_makes() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    made = Webhook(OLD).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
