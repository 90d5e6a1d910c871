"""Processes that tell the staff are killed again and again: each recipient of each step gets one message, by its id."""

import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from complaints.features.notifications.delivery_use_cases import NAME
from complaints.features.notifications.model import MessageChannel, MessageStatus
from complaints.features.notifications.preferences import ChosenChannel, NotificationPreference
from complaints.features.notifications.tables.deliveries import message_delivery
from complaints.features.notifications.tables.preferences import write_preference
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.escalation import escalation
from complaints.storage.rows.follower import find_after
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.complaints import intake
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.service import Service
from complaints.wiring import wall_now
from tests.faults.conftest import ScenarioReport, Size, opened
from tests.http_receiver import ReceivedPost, ReceiverAnswer, http_receiver

d = message_delivery.c


@pytest.mark.parametrize("database_kind", ["postgresql", "sqlite"])
def test_killed_notifiers(
    database_kind: str,
    request: pytest.FixtureRequest,
    start_fleet: Callable[[str], Any],
    size: Size,
    report: ScenarioReport,
) -> None:
    report.fault = f"Processes killed while they write and send notifications ({database_kind})"
    url = request.getfixturevalue("postgres_url" if database_kind == "postgresql" else "sqlite_url")
    complaints, kills = size.pick(30, 600), size.pick(3, 60)
    with http_receiver() as gateway, opened(url) as service, start_fleet(url) as fleet:
        gateway.answer = _take_slowly
        wishes = NotificationPreference(channels=(ChosenChannel(MessageChannel.SMS, "+8613800000000"),))
        service.write(lambda tx: write_preference(tx, "admin", wishes))
        server = fleet.add_api(
            scheduler=1,
            webhook_allow="127.0.0.1",
            COMPLAINTS_NOTIFICATIONS_SMS_URL=gateway.url,
            COMPLAINTS_NOTIFICATIONS_SMS_SECRET="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        )
        fleet.await_ready()
        _await(lambda: service.read(lambda tx: find_after(tx, NAME)) is not None)
        for number in range(kills):
            _post_late(service, complaints // kills)
            seen = len(gateway.posts)
            _await(lambda before=seen: len(gateway.posts) > before)  # type: ignore[misc]
            time.sleep(0.01 * (number % 5))
            fleet.kill(server)
            service.write(_end_leases)
            _await(lambda: server.process is not None)
        _await(lambda: not service.read(_count_waiting) and service.read(_has_all))
        sent = Counter(json.loads(post.body)["id"] for post in gateway.posts)
        rows = {str(row.id): row.status for row in service.read(_rows)}
        report.count(kills=fleet.kills, messages=len(rows), sent_again=sum(sent.values()) - len(sent))
        assert set(rows.values()) == {MessageStatus.ACCEPTED}
        assert sent.keys() == rows.keys()


def _take_slowly(_post: ReceivedPost) -> ReceiverAnswer:
    time.sleep(0.02)
    return ReceiverAnswer(202)


def _post_late(service: Service, count: int) -> None:
    """Complaints that are late when they arrive: the highest step of each deadline notifies at once."""
    members = {"channel": "web", "subject": "Slow", "first_owner": "admin"}
    late = {"received_at": (wall_now() - timedelta(days=9)).isoformat()}
    posts = [IntakeRequest(SYSTEM, CreateComplaint.model_validate(members | late)) for _ in range(count)]
    service.write(lambda tx: intake.register(service, tx, posts))


def _end_leases(tx: Transaction) -> None:
    """As if the two minutes of a lease had passed."""
    statement = update(message_delivery).where(d.next_attempt_at.is_not(None))
    tx.connection.execute(statement.values(next_attempt_at=wall_now()))


def _count_waiting(tx: Transaction) -> int:
    return len(tx.connection.execute(select(d.id).where(d.status == MessageStatus.WAITING)).all())


def _has_all(tx: Transaction) -> bool:
    """Each step that notifies has one delivery."""
    told = select(escalation.c.id).where(~escalation.c.superseded)
    steps = sorted(tx.connection.execute(told).scalars())
    return steps == sorted(tx.connection.execute(select(d.escalation_id)).scalars())


def _rows(tx: Transaction) -> Any:
    return tx.connection.execute(select(d.id, d.status)).all()


def _await(happened: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "nobody goes on"
        time.sleep(0.005)
