"""Events reach a real receiver: signed, in order, at least once, and never outside the guard."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from standardwebhooks import WebhookVerificationError

from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole
from complaints.features.webhooks import attempt, planning
from complaints.features.webhooks.feature import FEATURE
from complaints.features.webhooks.rules import DELAYS
from complaints.features.webhooks.sending import Sender
from complaints.settings import Settings
from complaints.use_cases.service import Service, keep_configuration
from complaints.wiring import build_loops, check, open_annexes
from tests.features.webhooks.webhook_world import SETTINGS, WebhookWorld, verify
from tests.http_receiver import HttpReceiver, ReceiverAnswer
from tests.planting import planted
from tests.support import count_statements


def faults(service: Service) -> set[str]:
    return {one.invariant for find in FEATURE.checks for one in find(service)}


def test_each_change_is_sent_once_signed_and_thin(world: WebhookWorld, receiver: HttpReceiver) -> None:
    world.scenario.post(subject="Before")
    webhook = world.subscribe(receiver)
    complaint = world.scenario.post(
        subject="No signal", source="crm", external_id="X-1", description="In the cellar.",
        complainant={"name": "Zhuge Kongming", "phone": "13912345678"},
    )  # fmt: skip
    world.scenario.act(complaint, "respond", message="We look into it.", contact_channel="phone")
    world.send()
    world.send()
    messages = [verify(post, webhook["secret"]) for post in receiver.posts]
    first = messages[0]
    assert first["type"] == "complaint.created"
    number = number_of(complaint.sequence)
    assert first["data"] == {
        "id": str(complaint.id), "number": number, "source": "crm", "external_id": "X-1",
        "status": "received", "sequence": first["data"]["sequence"], "version": 1,
        "href": f"https://complaints.example/v1/complaints/{complaint.id}",
        "subject": {"kind": "complaint", "id": str(complaint.id), "number": number},
    }  # fmt: skip
    numbers = [message["data"]["sequence"] for message in messages]
    assert numbers == sorted(set(numbers))
    bodies = b"".join(post.body for post in receiver.posts)
    assert not any(word in bodies for word in (b"Zhuge", b"139123", b"cellar", b"No signal", b"We look"))
    feed = world.client.get("/v1/changes?limit=200").json()["items"]
    own = [event["id"] for event in feed if event["number"] == number]
    assert [post.headers["webhook-id"] for post in receiver.posts] == own
    assert list(check(world.service, open_annexes(), progress=lambda _: None)) == []


def test_a_full_message_has_the_complaint_and_the_event(world: WebhookWorld, receiver: HttpReceiver) -> None:
    webhook = world.subscribe(receiver, payload="full", event_types=["complaint.created"])
    complaint = world.scenario.post(subject="No signal", complainant={"name": "Zhuge Kongming"})
    world.send()
    data = verify(receiver.posts[0], webhook["secret"])["data"]
    shown = world.client.get(f"/v1/complaints/{complaint.id}").json()
    assert data["complaint"] == shown
    assert data["event"]["data"]["changes"]["subject"] == "No signal"
    assert data["event"]["id"] == receiver.posts[0].headers["webhook-id"]


def test_a_cloud_event_is_in_structured_mode(world: WebhookWorld, receiver: HttpReceiver) -> None:
    webhook = world.subscribe(receiver, format="cloudevents", event_types=["complaint.created"])
    world.scenario.post()
    world.send()
    (post,) = receiver.posts
    message = verify(post, webhook["secret"])
    assert post.headers["content-type"] == "application/cloudevents+json"
    assert (message["specversion"], message["type"], message["id"]) == (
        "1.0", "complaint.created", post.headers["webhook-id"],
    )  # fmt: skip
    assert message["source"] == "https://complaints.example/v1/changes"
    assert message["subject"] == message["data"]["number"]


def test_filters_types_and_excluded_actors_hold(world: WebhookWorld, receiver: HttpReceiver) -> None:
    crm = world.scenario.key(AccessRole.AGENT)
    asked: dict[str, dict[str, Any]] = {
        "all": {}, "source": {"filter": {"source": "crm"}}, "team": {"filter": {"team": "management"}},
        "category": {"filter": {"category": "network"}}, "priority": {"filter": {"priority": "urgent"}},
        "closed": {"event_types": ["complaint.closed"]}, "actor": {"exclude_actors": ["key:system"]},
    }  # fmt: skip
    for name, members in asked.items():
        world.subscribe(
            receiver, **{"event_types": ["complaint.created"], "url": f"{receiver.url}/{name}", **members}
        )
    own = world.client.post("/v1/webhooks", json={"url": f"{receiver.url}/own"}, headers=crm).json()
    assert own["exclude_actors"] == [own["created_by"]]
    world.scenario.post(source="crm", category="network.outage")
    body = {"channel": "phone", "subject": "Mine"}
    assert world.client.post("/v1/complaints", json=body, headers=crm).status_code == 201
    world.send()
    heard = Counter(
        post.path.rpartition("/")[2] for post in receiver.posts if b'"complaint.created"' in post.body
    )
    assert heard == {"all": 2, "source": 1, "category": 1, "actor": 1, "own": 1}
    assert faults(world.service) == set()


def test_a_failure_keeps_the_order_of_its_complaint_and_stops_no_other(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    webhook = world.subscribe(receiver)
    first, second = world.scenario.post(), world.scenario.post()
    refused = str(first.id).encode()
    receiver.answer = lambda post: ReceiverAnswer(500 if refused in post.body else 200)
    world.scenario.act(first, "respond", message="Now.", contact_channel="phone")
    world.send()
    log = world.log(webhook)
    assert {item["status_code"] for item in log} == {500, 200}
    assert sum(refused in post.body for post in receiver.posts) == 1
    (failed,) = [item for item in log if item["status_code"] == 500]
    assert failed["next_attempt_at"] is not None
    assert failed["attempt"] == 1
    receiver.answer = lambda post: ReceiverAnswer(204)
    world.scenario.post()
    world.send()
    assert sum(refused in post.body for post in receiver.posts) == 1
    world.wall.move(seconds=6)
    world.send()
    own = [verify(post, webhook["secret"])["data"] for post in receiver.posts if refused in post.body]
    assert [data["sequence"] for data in own] == sorted(data["sequence"] for data in own)
    assert own[0]["sequence"] == own[1]["sequence"]
    assert len(own) > 2
    assert second.id != first.id
    assert faults(world.service) == set()


def test_the_attempts_come_at_the_given_times_and_then_the_next_event_goes(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    webhook = world.subscribe(receiver, event_types=["complaint.created", "complaint.responded"])
    complaint = world.scenario.post()
    world.scenario.act(complaint, "respond", message="Now.", contact_channel="phone")
    # A success at another complaint now and then: the receiver lives, so it is not disabled.
    receiver.answer = lambda post: ReceiverAnswer(500 if str(complaint.id).encode() in post.body else 200)
    for delay in DELAYS:
        world.wall.move(seconds=delay.total_seconds() + 1)
        world.scenario.post()
        world.send()
    own = [i for i in world.log(webhook) if i["status_code"] == 500]
    assert [item["attempt"] for item in own] == [*range(1, 11), 1]
    assert own[9]["next_attempt_at"] is None
    assert own[10]["next_attempt_at"] is not None
    assert world.show(webhook)["status"] == "active"
    assert faults(world.service) == set()


def test_retry_after_is_honoured(world: WebhookWorld, receiver: HttpReceiver) -> None:
    webhook = world.subscribe(receiver, event_types=["complaint.created"])
    world.scenario.post()
    receiver.answer = lambda post: ReceiverAnswer(503, headers={"Retry-After": "120"})
    world.send()
    world.wall.move(seconds=100)
    world.send()
    assert len(receiver.posts) == 1
    world.wall.move(seconds=21)
    world.send()
    assert [item["status_code"] for item in world.log(webhook)] == [503, 503]


def test_a_fault_of_the_program_is_an_attempt_that_failed(
    world: WebhookWorld, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a result, the message would be sent again at once, and for ever."""
    webhook = world.subscribe(receiver, event_types=["complaint.created"])
    world.scenario.post()
    monkeypatch.setattr(attempt, "read_retry_after", Mock(side_effect=RuntimeError))
    begun = time.monotonic()
    world.plan()
    Sender(world.service, SETTINGS, chance=lambda: 0.0).run(lambda: time.monotonic() > begun + 1)
    monkeypatch.undo()
    assert len(receiver.posts) == 1
    world.wall.move(seconds=6)
    world.send()
    assert [(one["status_code"], one["failure"]) for one in world.log(webhook)] == [
        (None, "fault"),
        (200, None),
    ]


def test_gone_and_five_days_of_failure_disable_with_an_alert(
    world: WebhookWorld, receiver: HttpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    gone, failing = world.subscribe(receiver, url=f"{receiver.url}/gone"), world.subscribe(receiver)
    receiver.answer = lambda post: ReceiverAnswer(410 if post.path.endswith("gone") else 500)
    world.scenario.post()
    world.send()
    assert (world.show(gone)["status"], world.show(gone)["disabled_reason"]) == ("disabled", "gone")
    assert world.show(failing)["failing_since"] is not None
    ready = world.client.get("/readyz").json()
    assert (ready["webhooks_disabled"], ready["webhooks_failing"]) == (1, 1)
    for _ in range(7):
        world.wall.move(hours=24)
        world.send()
    assert world.show(failing)["disabled_reason"] == "failing"
    assert "complaints_webhooks_disabled 2.0" in world.client.get("/metrics").text
    assert sum(record.message == "a webhook was disabled" for record in caplog.records) == 2
    count = len(receiver.posts)
    world.scenario.post()
    world.send()
    assert len(receiver.posts) == count
    receiver.answer = lambda post: ReceiverAnswer(200)
    again = world.client.patch(f"/v1/webhooks/{failing['id']}", json={"status": "active"})
    assert (again.status_code, again.json()["disabled_reason"]) == (200, None)
    world.scenario.post()
    world.send()
    assert len(receiver.posts) > count
    assert faults(world.service) == set()


def test_a_replay_sends_the_events_of_a_range_again(world: WebhookWorld, receiver: HttpReceiver) -> None:
    webhook = world.subscribe(receiver, event_types=["complaint.created"])
    for _ in range(3):
        world.scenario.post()
    world.send()
    first = [post.headers["webhook-id"] for post in receiver.posts]
    numbers = [item["sequence"] for item in world.log(webhook)]
    asked = {"from_sequence": min(numbers), "to_sequence": max(numbers) - 1}
    planned = world.client.post(f"/v1/webhooks/{webhook['id']}/replay", json=asked)
    assert planned.json() == {"deliveries": 2}
    world.send()
    in_order = [
        i for _, i in sorted(zip(numbers, [i["event_id"] for i in world.log(webhook)[:3]], strict=True))
    ]
    assert [post.headers["webhook-id"] for post in receiver.posts][3:] == in_order[:2]
    assert set(first) == set(in_order)
    assert [item["replay"] for item in world.log(webhook)] == [0, 0, 0, 1, 1]
    assert faults(world.service) == set()


def test_a_rotated_secret_overlaps(world: WebhookWorld, receiver: HttpReceiver) -> None:
    webhook = world.subscribe(receiver)
    rotated = world.client.post(
        f"/v1/webhooks/{webhook['id']}/rotate-secret", json={"overlap": "PT1H"}
    ).json()
    assert rotated["secret"] != webhook["secret"]
    assert rotated["previous_secret_until"]
    ping = f"/v1/webhooks/{webhook['id']}/test"
    assert world.client.post(ping).json()["status_code"] == 200
    assert len(receiver.posts[0].headers["webhook-signature"].split()) == 2
    for secret in (webhook["secret"], rotated["secret"]):
        assert verify(receiver.posts[0], secret)["type"] == "webhook.test"
    world.wall.move(hours=2)
    world.client.post(ping)
    post = receiver.posts[1]
    assert len(post.headers["webhook-signature"].split()) == 1
    with pytest.raises(WebhookVerificationError):
        verify(post, webhook["secret"])
    assert "secret" not in world.show(webhook)
    assert webhook["secret"] not in world.client.get("/v1/webhooks").text


def test_a_test_message_does_not_leave_the_guard(world: WebhookWorld, receiver: HttpReceiver) -> None:
    webhook = world.subscribe(receiver)
    receiver.answer = lambda post: ReceiverAnswer(302, b"secret body", {"Location": "http://127.0.0.1:1/"})
    answer = world.client.post(f"/v1/webhooks/{webhook['id']}/test")
    assert answer.json()["status_code"] == 302
    assert "secret body" not in answer.text
    with world.service.database.begin() as tx:
        tx.connection.execute(text("UPDATE webhook SET url = 'https://localhost.example.invalid:1/'"))
    assert world.client.post(f"/v1/webhooks/{webhook['id']}/test").json()["failure"] == "connection"
    with world.service.database.begin() as tx:
        tx.connection.execute(text("UPDATE webhook SET url = 'https://[::ffff:127.0.0.1]/'"))
    assert world.client.post(f"/v1/webhooks/{webhook['id']}/test").json()["failure"] == "refused-url"
    world.scenario.post()
    world.send()
    assert world.log(webhook)[0]["failure"] == "refused-url"


def test_many_subscriptions_make_no_long_transaction(
    world: WebhookWorld, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 events for 1,000 subscriptions would hold the write lock of SQLite for a quarter of a minute."""
    world.plan()
    for _ in range(3):
        world.subscribe(receiver)
    monkeypatch.setattr(planning, "DELIVERIES_AT_ONCE", 6)
    for _ in range(5):
        world.scenario.post()
    assert [planning.plan_next(world.service, SETTINGS) for _ in range(4)] == [2, 2, 1, 0]


def test_a_process_that_does_not_know_a_new_key_yet_keeps_its_subscription(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    other = replace(world.service, cache=keep_configuration())
    other.read(other.configuration)  # it is kept for half a second
    crm = world.scenario.key(AccessRole.INTAKE, source="crm")
    made = world.client.post("/v1/webhooks", json={"url": receiver.url}, headers=crm).json()
    world.scenario.post(source="crm")
    assert planning.plan_next(other, SETTINGS) > 0
    assert world.show(made)["status"] == "active"


def test_few_test_messages_are_sent_at_a_time(world: WebhookWorld, receiver: HttpReceiver) -> None:
    """Each may hold a thread for 15 seconds: 40 of them at a silent receiver would stop the whole API."""
    webhook = world.subscribe(receiver)
    silent = threading.Event()

    def wait(_post: object) -> ReceiverAnswer:
        silent.wait(10)
        return ReceiverAnswer()

    receiver.answer = wait
    with ThreadPoolExecutor(5) as threads:
        sent = [
            threads.submit(world.client.post, f"/v1/webhooks/{webhook['id']}/test") for _number in range(5)
        ]
        refused = next(as_completed(sent)).result()
        silent.set()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "15")
    assert sorted(one.result().status_code for one in sent) == [200] * 4 + [429]


def test_a_full_message_shows_nothing_outside_the_scope_of_its_owner_now(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    webhook = world.subscribe(receiver, payload="full", event_types=["complaint.created"])
    world.scenario.key(AccessRole.INTAKE, source="crm")
    keys = world.client.get("/v1/keys").json()["items"]
    narrow = next(one["name"] for one in keys if one["source"] == "crm")
    world.scenario.post(source="other", subject="Not for the CRM")
    world.plan()
    with world.service.database.begin() as tx:
        tx.connection.execute(text("UPDATE webhook SET owner_key = :name"), {"name": narrow})
    world.send()
    data = verify(receiver.posts[0], webhook["secret"])["data"]
    assert (data["complaint"], data["event"]) == (None, None)


def test_a_revoked_owner_ends_the_subscription(world: WebhookWorld, receiver: HttpReceiver) -> None:
    crm = world.scenario.key(AccessRole.INTAKE, source="crm")
    made = world.client.post(
        "/v1/webhooks", json={"url": receiver.url, "exclude_actors": []}, headers=crm
    ).json()
    world.scenario.post(source="crm")
    world.scenario.post(source="other")
    world.send()
    assert receiver.posts
    assert {verify(p, made["secret"])["data"]["source"] for p in receiver.posts} == {"crm"}
    count = len(receiver.posts)
    key = next(
        k for k in world.client.get("/v1/keys").json()["items"] if f"key:{k['name']}" == made["created_by"]
    )
    assert world.client.delete(f"/v1/keys/{key['id']}").status_code == 204
    world.scenario.post(source="crm")
    world.send()
    assert len(receiver.posts) == count
    assert world.show(made)["disabled_reason"] == "access_lost"


def test_a_sender_that_dies_only_delays(world: WebhookWorld, receiver: HttpReceiver) -> None:
    """Another process takes over when the lease of the dead one has ended."""
    world.subscribe(receiver, event_types=["complaint.created"])
    world.scenario.post()
    world.plan()
    dead = Sender(world.service, SETTINGS)
    assert dead._write([], lambda: True, claim=True)
    assert not receiver.posts
    world.send()
    assert not receiver.posts
    world.wall.move(seconds=61)
    world.send()
    assert len(receiver.posts) == 1
    assert faults(world.service) == set()


def test_old_deliveries_are_forgotten_and_the_check_holds(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    webhook = world.subscribe(receiver, event_types=["complaint.created"])
    world.scenario.post()
    world.send()
    world.wall.move(days=31)
    world.scenario.post()
    world.send()
    assert planning.forget_old(world.service, SETTINGS) == 1
    assert (planning.forget_old(world.service, SETTINGS), len(world.log(webhook))) == (0, 1)
    assert faults(world.service) == set()


LONG_AGO = "'2026-01-01 00:00:00.000000'"
LAST = "(SELECT max(id) FROM webhook_delivery)"
ANOTHER_ATTEMPT = f"""INSERT INTO webhook_attempt (webhook_id, delivery_id, attempt, at, duration_ms)
SELECT webhook_id, id, 2, {LONG_AGO}, 1 FROM webhook_delivery WHERE id = (SELECT min(id) FROM webhook_delivery)"""
PLANTED = [
    (f"DELETE FROM webhook_attempt; DELETE FROM webhook_delivery WHERE id = {LAST}", "webhooks complete"),
    (f"UPDATE webhook_delivery SET event_id = webhook_id WHERE id = {LAST}", "webhooks complete"),
    ("UPDATE webhook SET planned = planned + 1", "webhooks complete"),
    (ANOTHER_ATTEMPT, "webhooks in order"),
    ("UPDATE webhook SET format = 'xml'", "webhooks formed"),
    (f"UPDATE webhook SET lease_id = id, leased_until = {LONG_AGO}", "webhooks leased"),
    (f"UPDATE webhook_delivery SET state = 'pending', next_attempt_at = {LONG_AGO}", "webhooks leased"),
]


def test_only_what_is_planted_is_found(
    world: WebhookWorld, receiver: HttpReceiver, subtests: pytest.Subtests
) -> None:
    """Invariants of webhooks: complete, in order, in a known form, and no lease that stays."""
    world.subscribe(receiver)
    complaint = world.scenario.post()
    world.scenario.act(complaint, "respond", message="Now.", contact_channel="phone")
    world.send()
    assert faults(world.service) == set()
    for statements, invariant in PLANTED:
        with subtests.test(statements), planted(world.service, statements) as spoilt:
            assert invariant in faults(spoilt)
    assert faults(world.service) == set()


def test_the_messages_of_one_complaint_keep_their_order(world: WebhookWorld, receiver: HttpReceiver) -> None:
    webhook = world.subscribe(receiver)
    for complaint in [world.scenario.post() for _ in range(5)]:
        world.scenario.act(complaint, "respond", message="Now.", contact_channel="phone")
    world.send()
    by_complaint: dict[str, list[int]] = {}
    for post in receiver.posts:
        data = verify(post, webhook["secret"])["data"]
        by_complaint.setdefault(data["id"], []).append(data["sequence"])
    assert all(numbers == sorted(set(numbers)) for numbers in by_complaint.values())
    assert len(by_complaint) == 5


def test_the_loops_of_a_process_send_soon_and_stop_soon(world: WebhookWorld, receiver: HttpReceiver) -> None:
    world.subscribe(receiver, event_types=["complaint.created"])
    loops = build_loops(world.service, CollectorRegistry(), Settings(), open_annexes())
    loops.start()
    try:
        world.scenario.post()
        receiver.wait_for(1)
        over = threading.Event()
        receiver.answer = lambda post: ReceiverAnswer(200 if over.wait(20) else 500)
        world.scenario.post()
        receiver.wait_for(2)
    finally:
        begun = time.monotonic()
        loops.stop()
    assert time.monotonic() - begun < 10
    over.set()


def test_a_post_does_the_same_with_subscriptions_and_without(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    world.scenario.post()
    counts = []
    for _ in range(2):
        with count_statements(world.service) as statements:
            world.scenario.post()
        counts.append(len(statements))
        for _ in range(10):
            world.subscribe(receiver)
    assert counts[0] == counts[1]
