"""A form that another part of the program adds: an event may have several messages, none, or a faulty one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text

from complaints.api.feature import FormedMessage, MessageForm, MessageReader
from complaints.features.webhooks.sending import Sender
from complaints.use_cases.service import Service, Transaction
from tests.features.webhooks.webhook_world import SETTINGS, WebhookWorld, verify
from tests.http_receiver import HttpReceiver, ReceivedPost, ReceiverAnswer

PARTS = {"complaint.created": ("one", "two"), "complaint.responded": (), "complaint.note_added": ("note",)}


def build(
    _service: Service, _tx: Transaction, reader: MessageReader, rows: Sequence[Mapping[Any, Any]]
) -> list[list[FormedMessage]]:
    """A message for each part of an event. A reader with the query `fault` gets none of notes: it fails."""
    if reader.query == "fault" and any(row["type"] == "complaint.note_added" for row in rows):
        raise ValueError("a stored value is nonsense")
    return [
        [FormedMessage(uuid5(row["id"], part), b'"%s"' % part.encode()) for part in PARTS[row["type"]]]
        for row in rows
    ]


def build_test(_service: Service, _message_id: UUID, _now: datetime) -> bytes:
    """The test message of the form."""
    return b'"test"'


TOY = {"toy": MessageForm("text/plain", build, build_test)}


def subscribe(world: WebhookWorld, receiver: HttpReceiver, query: str = "") -> dict[str, Any]:
    made = world.subscribe(receiver, event_types=list(PARTS))
    with world.service.database.begin() as tx:
        tx.connection.execute(text("UPDATE webhook SET format = 'toy', query = :query"), {"query": query})
    return made


def live(world: WebhookWorld) -> None:
    complaint = world.scenario.post()
    world.scenario.act(complaint, "respond", message="Now.", contact_channel="phone")
    world.client.post(f"/v1/complaints/{complaint.id}/notes", json={"text": "A note."})
    world.plan()


def send(world: WebhookWorld, forms: Mapping[str, MessageForm] = TOY) -> Sender:
    sender = Sender(world.service, SETTINGS, forms=forms, chance=lambda: 0.0)
    sender.run(lambda: False)
    return sender


def bodies(receiver: HttpReceiver) -> list[str]:
    return [post.body.decode().strip('"') for post in receiver.posts]


def count_states(world: WebhookWorld) -> dict[str, int]:
    with world.service.database.read() as tx:
        statement = text("SELECT state, count(*) FROM webhook_delivery GROUP BY state")
        return {row[0]: row[1] for row in tx.connection.execute(statement)}


def test_the_messages_of_an_event_go_in_order_each_signed_and_of_its_own_id(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    webhook = subscribe(world, receiver)
    live(world)
    send(world)
    assert bodies(receiver) == ["one", "two", "note"]
    assert {post.headers["content-type"] for post in receiver.posts} == {"text/plain"}
    assert [verify(post, webhook["secret"]) for post in receiver.posts] == ["one", "two", "note"]
    assert len({post.headers["webhook-id"] for post in receiver.posts}) == 3
    assert count_states(world) == {"delivered": 3}
    log = world.log(webhook)
    assert [(one["attempt"], one["status_code"]) for one in log] == [(1, 200), (1, 200)]


def test_a_batch_that_ends_between_two_messages_begins_again_with_the_first(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    """A second message after the end of the batch could outlast the lease, and another process would send too."""
    webhook = subscribe(world, receiver)
    live(world)
    sender = Sender(world.service, SETTINGS, forms=TOY, chance=lambda: 0.0)

    def stop_once(_post: ReceivedPost) -> ReceiverAnswer:
        if len(receiver.posts) == 1:
            for batch in sender._under_way.values():
                batch.is_stopped = True
        return ReceiverAnswer()

    receiver.answer = stop_once
    sender.run(lambda: False)
    assert bodies(receiver) == ["one", "one", "two", "note"]
    assert receiver.posts[0].headers["webhook-id"] == receiver.posts[1].headers["webhook-id"]
    assert [one["attempt"] for one in world.log(webhook)] == [1, 1]


def test_an_event_that_cannot_be_built_is_a_failed_attempt_and_stops_no_other(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    webhook = subscribe(world, receiver, query="fault")
    live(world)
    live(world)
    send(world)
    send(world)
    assert bodies(receiver) == ["one", "two", "one", "two"]
    log = world.log(webhook)
    assert sorted(str(one["failure"]) for one in log) == ["None", "None", "fault", "fault"]
    assert count_states(world) == {"delivered": 4, "pending": 2}


def test_a_form_that_is_not_there_is_a_fault_and_sends_nothing(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    webhook = subscribe(world, receiver)
    live(world)
    send(world, forms={})
    assert receiver.posts == []
    assert {one["failure"] for one in world.log(webhook)} == {"fault"}
