"""Deliveries are written once, leased, sent outside transactions, tried again, and then go another way."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from complaints.features.notifications import outlets
from complaints.features.notifications.delivery_use_cases import enqueue
from complaints.features.notifications.model import (
    COMPLAINANT,
    Acceptance,
    Audience,
    ChannelOutage,
    Message,
    MessageChannel,
    MessageDelivery,
    MessageRefusal,
    MessageStatus,
    NewDelivery,
    SendResult,
)
from complaints.features.notifications.rules import LEASE, Settlement
from complaints.features.notifications.sending import Outlet, Parcel, send_next
from complaints.features.notifications.settings import NotificationSettings
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints import escalations
from complaints.use_cases.complaints.escalations import EscalationSearch
from complaints.use_cases.service import Service, Transaction
from tests.features.notifications.conftest import WallClock, all_deliveries
from tests.support import START, Scenario

MAIL, SMS = MessageChannel.MAIL, MessageChannel.SMS
OUT = ChannelOutage("The server does not answer.")


@dataclass
class Script:
    """A channel with prepared answers. It keeps what it was asked to send."""

    answers: list[SendResult | Exception] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    lost: list[UUID] = field(default_factory=list)

    def send(self, message: Message) -> SendResult:
        self.sent.append(message)
        answer = self.answers.pop(0) if self.answers else Acceptance(f"m-{len(self.sent)}")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def outlet(self, name: MessageChannel = MAIL) -> Outlet:
        return Outlet(name, self, compose, self.note)

    def note(self, _tx: Transaction, delivery: MessageDelivery, settlement: Settlement) -> None:
        if settlement.status is MessageStatus.UNDELIVERED:
            self.lost.append(delivery.id)


def compose(_tx: Transaction, leased: Sequence[MessageDelivery]) -> Sequence[Parcel]:
    return [Parcel((one,), message_of(one)) for one in leased if one.template != "later"]


def message_of(one: MessageDelivery) -> Message | None:
    if one.template == "moot":
        return None
    return Message(
        id=one.id, audience=one.audience, address="a@b.example", language="en", title="T", text=one.recipient
    )


def new(recipient: str = "admin", *channels: MessageChannel, due_at: datetime = START) -> NewDelivery:
    return NewDelivery(
        event_id=uuid4(),
        audience=Audience.STAFF,
        recipient=recipient,
        template="step",
        language="en",
        channels=channels or (MAIL,),
        due_at=due_at,
    )


def put(service: Service, asked: NewDelivery) -> bool:
    return service.write(lambda tx: enqueue(service, tx, asked))


def stored(service: Service) -> list[MessageDelivery]:
    return list(service.read(all_deliveries))


def test_a_message_is_written_once_and_sent_once(sender: Service) -> None:
    script, asked = Script(), new()
    assert [put(sender, asked), put(sender, asked)] == [True, False]
    assert put(sender, replace(asked, repetition=1))
    assert put(sender, replace(asked, audience=Audience.COMPLAINANT))
    assert send_next(sender, script.outlet(), limit=10) == 3
    assert send_next(sender, script.outlet(), limit=10) == 0
    assert {one.status for one in stored(sender)} == {MessageStatus.ACCEPTED}
    assert {one.provider_id for one in stored(sender)} == {"m-1", "m-2", "m-3"}


def test_a_message_waits_for_its_time_by_the_clock_of_the_service(sender: Service) -> None:
    script = Script()
    put(sender, new(due_at=START + timedelta(seconds=1)))
    assert send_next(sender, script.outlet(), limit=10) == 0


@pytest.mark.parametrize(
    ("channels", "answers", "pauses", "status", "channel"),
    [
        ((MAIL,), [OUT, Acceptance("x")], [10], MessageStatus.ACCEPTED, MAIL),
        ((MAIL,), [replace(OUT, pause_seconds=40), Acceptance("x")], [40], MessageStatus.ACCEPTED, MAIL),
        ((MAIL,), [RuntimeError("ours"), Acceptance("x")], [10], MessageStatus.ACCEPTED, MAIL),
        (
            (MAIL,),
            [OUT] * 8,
            [10, 60, 300, 1800, 7200, 18000, 36000],
            MessageStatus.UNDELIVERED,
            MAIL,
        ),
        ((MAIL,), [MessageRefusal("No such mailbox.")], [], MessageStatus.UNDELIVERED, MAIL),
        ((MAIL, SMS), [MessageRefusal("No such mailbox."), Acceptance("x")], [0], MessageStatus.ACCEPTED, SMS),
        ((MAIL, SMS), [OUT] * 4 + [Acceptance("x")], [10, 60, 300, 0], MessageStatus.ACCEPTED, SMS),
        ((MAIL, SMS), [OUT] * 4 + [MessageRefusal("Barred.")], [10, 60, 300, 0], MessageStatus.UNDELIVERED, SMS),
    ],
)  # fmt: skip
def test_pauses_grow_and_then_the_message_goes_the_next_way(
    sender: Service,
    wall: WallClock,
    channels: tuple[MessageChannel, ...],
    answers: list[SendResult],
    pauses: list[float],
    status: MessageStatus,
    channel: MessageChannel,
) -> None:
    script = Script(list(answers))
    put(sender, new("admin", *channels))

    def send() -> int:
        return sum(send_next(sender, script.outlet(name), limit=10) for name in reversed(MessageChannel))

    assert send() == 1
    for pause in pauses:
        if pause:
            wall.advance(seconds=pause - 0.001)
            assert send() == 0
            wall.advance(seconds=0.001)
        assert send() == 1
    [one] = stored(sender)
    assert (one.status, one.channel, script.answers) == (status, channel, [])
    assert len({message.id for message in script.sent}) == 1  # receivers know a repetition by its id
    assert script.lost == ([one.id] if status is MessageStatus.UNDELIVERED else [])


def test_a_message_without_a_channel_is_undelivered_from_the_start(sender: Service) -> None:
    put(sender, replace(new(), channels=()))
    [one] = stored(sender)
    assert (one.status, one.fault) == (MessageStatus.UNDELIVERED, "The recipient has no channel.")


def test_a_moot_message_is_not_sent_and_one_that_is_left_waits_without_an_attempt(sender: Service) -> None:
    script = Script()
    put(sender, replace(new(), template="moot"))
    put(sender, replace(new(), template="later"))
    assert send_next(sender, script.outlet(), limit=10) == 1
    found = {one.template: one for one in stored(sender)}
    assert (found["moot"].status, found["later"].status) == (MessageStatus.MOOT, MessageStatus.WAITING)
    assert (found["later"].attempts, script.sent) == (0, [])


def test_messages_that_have_to_wait_let_those_behind_them_go(sender: Service, wall: WallClock) -> None:
    """A robot that bars us may have more messages than one batch: the other robots do not wait for it."""
    script = Script()
    for _ in range(3):
        put(sender, replace(new(), template="later"))
    put(sender, new(due_at=START + timedelta(seconds=1)))
    Scenario(sender).jump(seconds=2)
    assert [send_next(sender, script.outlet(), limit=2) for _ in range(3)] == [0, 1, 0]
    wall.advance(seconds=5)
    assert send_next(sender, script.outlet(), limit=2) == 0
    assert {one.attempts for one in stored(sender) if one.template == "later"} == {0}


def test_a_process_that_stops_begins_no_other_message(sender: Service) -> None:
    """A mail server that hangs takes 30 seconds for each message: the rest of the batch is given back."""
    script = Script()
    for _ in range(3):
        put(sender, new())
    assert send_next(sender, script.outlet(), limit=3, is_stopping=lambda: len(script.sent) > 0) == 1
    assert sorted(one.attempts for one in stored(sender)) == [0, 0, 1]
    assert send_next(sender, script.outlet(), limit=3) == 2


def test_two_senders_never_send_the_same_message(sender: Service) -> None:
    for number in range(30):
        put(sender, new(f"user-{number}"))
    script = Script()

    def work(_: int) -> int:
        return sum(iter(lambda: send_next(sender, script.outlet(), limit=3), 0))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 30
    assert sorted(message.text for message in script.sent) == sorted(f"user-{n}" for n in range(30))


def test_the_lease_of_a_dead_sender_ends_and_its_late_word_counts_no_more(
    sender: Service, wall: WallClock
) -> None:
    put(sender, new())
    script = Script()

    class Slow:
        """Is overtaken while it sends: its lease ends, and another process sends the same message."""

        def send(self, message: Message) -> SendResult:
            assert send_next(sender, script.outlet(), limit=10) == 0
            wall.advance(seconds=LEASE.total_seconds())
            assert send_next(sender, script.outlet(), limit=10) == 1
            return MessageRefusal("Too late to say so.")

    assert send_next(sender, replace(script.outlet(), channel=Slow()), limit=10) == 1
    [one] = stored(sender)
    assert (one.status, one.provider_id, one.attempts) == (MessageStatus.ACCEPTED, "m-1", 2)
    assert script.lost == []


def test_a_slow_channel_begins_no_message_that_would_outlive_its_lease(
    sender: Service, wall: WallClock
) -> None:
    """Otherwise a second sender would send the same messages."""
    for number in range(6):
        put(sender, new(f"user-{number}"))
    script = Script()

    class Slow:
        def send(self, message: Message) -> SendResult:
            wall.advance(seconds=30)
            return script.send(message)

    assert send_next(sender, replace(script.outlet(), channel=Slow()), limit=10) == 3
    assert {one.attempts for one in stored(sender) if one.status is MessageStatus.WAITING} == {0}
    assert send_next(sender, script.outlet(), limit=10) == 3
    assert len({message.id for message in script.sent}) == len(script.sent) == 6


def test_a_message_that_did_not_reach_the_complainant_is_an_escalation(
    staff: Scenario, everything_holds: None
) -> None:
    """Rule 10.6. It undoes nothing: the complaint keeps its version, its state and its deadlines."""
    before = staff.post(first_owner="admin")
    script = Script([MessageRefusal("No such mailbox <me@home.example>, +86 138 0000 0000.")])
    settled = partial(outlets.note_outcome, staff.service, NotificationSettings())
    outlet = replace(script.outlet(), settled=settled)
    asked = replace(
        new(COMPLAINANT), audience=Audience.COMPLAINANT, template="result", complaint_id=before.id
    )
    put(staff.service, asked)
    assert send_next(staff.service, outlet, limit=10) == 1
    [row] = staff.service.read(
        lambda tx: escalations.list_escalations(
            staff.service, tx, SYSTEM, EscalationSearch(), before=None, limit=10
        )
    )
    assert (row["step"], row["level"], row["recipients"]) == ("undelivered", 0, ["admin"])
    assert (
        row["reason"]
        == "The message 'result' to the complainant was not delivered: No such mailbox ****, ****."
    )
    assert staff.load(before) == before
