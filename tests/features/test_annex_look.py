"""The look that runs the loops of annexes that have work, and how little an idle process does."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from email.headerregistry import Address

import pytest
from prometheus_client import CollectorRegistry

from complaints.api.feature import Annexes, Feature, FeatureLoop
from complaints.domain.errors import Unavailable
from complaints.features.notifications.settings import NotificationSettings
from complaints.settings import Settings
from complaints.storage.database.loop_names import ANNEX_LOOP, SWEEP_LOOP
from complaints.storage.rows import follower
from complaints.use_cases.following import find_behind, follow
from complaints.use_cases.mail_account import Encryption, MailAccount
from complaints.use_cases.service import Service, Transaction
from complaints.wiring import annex_loops, build_loops, open_annexes
from complaints.wiring.annex_loops import AnnexLook
from tests.features.test_feature import run_loops
from tests.features.webhooks.webhook_world import WebhookWorld
from tests.http_receiver import HttpReceiver, ReceiverAnswer
from tests.support import Scenario, count_statements

FOLLOWING = {"notifications.follow", "reports.keep", "webhooks.plan"}


class Looks:
    """The look of a process with the annexes `annexes`. `run` looks once, and says which loops it runs."""

    def __init__(self, service: Service, annexes: Annexes) -> None:
        self._loops = {one.name: one for one in annex_loops.annex_loops(service, annexes, lambda: False)}
        self._hastened: list[str] = []
        service.database.hasten = lambda name, seconds: self._hastened.append(name)

    def run(self) -> set[str]:
        self._hastened.clear()
        self._loops[ANNEX_LOOP].work()
        return {*self._hastened}

    def work(self, *names: str) -> None:
        for name in names:
            self._loops[name].work()


@pytest.fixture
def looks(scenario: Scenario) -> Looks:
    """The look of a process with all annexes, whose followers have handled all events."""
    looks = Looks(scenario.service, open_annexes())
    looks.work(*FOLLOWING)
    return looks


# How little an idle process does ------------------------------------------------------------------------------------


def test_only_the_sweep_and_the_look_run_more_often_than_every_five_seconds(service: Service) -> None:
    """A loop of an annex that looks for itself each second would cost an idle server a tenth of a percent."""
    loops = build_loops(service, CollectorRegistry(), Settings(), open_annexes()).loops
    often = {loop.name: loop.seconds for loop in loops if loop.seconds is not None and loop.seconds < 5}
    assert often == {SWEEP_LOOP: 1.0, ANNEX_LOOP: 1.0}


def test_an_idle_process_asks_little_and_rests(
    scenario: Scenario, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(annex_loops, "time", Ticking(now))
    asked, least = [], count_of_clock(scenario.service)
    for second in range(11):
        now[0] = 1000.0 + second
        with count_statements(scenario.service) as executed:
            assert looks.run() == set()
        asked.append(len(executed))
    look = least + 4  # cursors, the last event, webhooks that are due, messages to robots that are due
    rests = [0, 0, 0, 0]
    assert asked == ([look] * 11 if scenario.service.database.is_postgresql else [look, *rests] * 2 + [look])


def count_of_clock(service: Service) -> int:
    """The statements of a transaction that asks nothing: the clock of the tests is in the database."""
    with count_statements(service) as executed:
        service.read(lambda tx: None)
    return len(executed)


class Ticking:
    """A monotonic clock that a test moves."""

    def __init__(self, now: Sequence[float]) -> None:
        self._now = now

    def monotonic(self) -> float:
        return self._now[0]


# What it finds -----------------------------------------------------------------------------------------------------


def test_events_run_the_followers_until_they_are_handled(scenario: Scenario, looks: Looks) -> None:
    assert looks.run() == set()
    scenario.post()
    assert looks.run() == FOLLOWING
    assert looks.run() == FOLLOWING  # nothing was committed, and their work still waits
    looks.work("reports.keep")
    assert looks.run() == FOLLOWING - {"reports.keep"}
    looks.work(*FOLLOWING)
    assert looks.run() == set()


def test_a_follower_is_behind_without_a_row_and_before_the_last_event(scenario: Scenario) -> None:
    service, names = scenario.service, ["first", "second"]
    assert service.read(lambda tx: find_behind(tx, names)) == {"first", "second"}
    follow(service, "first", lambda tx, events: None, limit=10)
    assert service.read(lambda tx: find_behind(tx, names)) == {"second"}
    scenario.post()
    follow(service, "second", lambda tx, events: None, limit=1)
    assert service.read(lambda tx: find_behind(tx, names)) == {"first"}
    for name in names:
        service.write(lambda tx, name=name: follower.move_follower(tx, name, after=10**6))  # type: ignore[misc]
    assert service.read(lambda tx: find_behind(tx, names)) == set()


def test_a_channel_that_is_not_set_up_is_not_asked_for(scenario: Scenario) -> None:
    account = MailAccount("127.0.0.1", 25, Encryption.NONE, Address(addr_spec="house@example.com"))
    settings = NotificationSettings(
        sms_url="https://sms.example", sms_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    )  # type: ignore[arg-type]
    for mail, own, count in (
        (None, None, 4),
        (account, None, 5),
        (None, settings, 5),
        (account, settings, 6),
    ):
        annexes = open_annexes()
        if own is not None:
            annexes = replace(annexes, settings={**annexes.settings, NotificationSettings: own})
        looks = Looks(replace(scenario.service, mail=mail), annexes)
        with count_statements(scenario.service) as executed:
            looks.run()
        assert len(executed) - count_of_clock(scenario.service) == count


def test_a_look_that_fails_is_repeated_by_the_next_one(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def has_work(_tx: Transaction) -> bool:
        asked.append("asked")
        if len(asked) == 1:
            raise Unavailable("The database is away.")
        return False

    look = AnnexLook(scenario.service, {}, {"one": has_work})
    with pytest.raises(Unavailable):
        look.hasten_loops()
    look.hasten_loops()
    assert len(asked) == 2


# In a process ------------------------------------------------------------------------------------------------------


def test_loops_with_work_run_soon_and_the_others_not_at_all(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annex_loops, "LOOK_SECONDS", 0.1)
    ran: list[str] = []
    done = threading.Event()

    def follow_events(service: Service, _settings: None) -> int:
        ran.append("follower")
        done.set()
        return follow(service, "watcher", lambda tx, events: None, limit=10, from_now=True)

    def work(name: str) -> Callable[[Service, None], int]:
        return lambda _service, _settings: ran.append(name) or 0  # type: ignore[func-returns-value]

    loops = (
        FeatureLoop("follow", follow_events, seconds=3600, follows="watcher"),
        FeatureLoop("busy", work("busy"), seconds=3600, has_work=lambda service, settings, tx: True),
        FeatureLoop("idle", work("idle"), seconds=3600, has_work=lambda service, settings, tx: False),
    )
    scenario.post()
    run_loops(
        scenario.service,
        Annexes((Feature("watcher", loops=loops),)),
        until=lambda: done.is_set() and ran.count("busy") >= 2,
    )
    assert {*ran} == {"follower", "busy"}


def test_a_webhook_is_due_when_its_messages_are(world: WebhookWorld, receiver: HttpReceiver) -> None:
    world.subscribe(receiver, event_types=["complaint.created"])
    looks = Looks(world.service, open_annexes())
    looks.work(*FOLLOWING)
    world.scenario.post()
    looks.work(*FOLLOWING)
    assert looks.run() == {"webhooks.send"}
    world.send()
    assert looks.run() == set()


def test_a_failure_runs_the_sender_again_when_the_next_attempt_is_due(
    world: WebhookWorld, receiver: HttpReceiver
) -> None:
    """A process that rests would find it up to five seconds late."""
    world.subscribe(receiver, event_types=["complaint.created"])
    receiver.answer = lambda post: ReceiverAnswer(500)
    world.scenario.post()
    world.plan()
    asked: list[tuple[str, float]] = []
    world.service.database.hasten = lambda name, seconds: asked.append((name, seconds))
    begun = time.monotonic()
    world.send()
    [(name, seconds)] = asked
    assert name == "webhooks.send"
    assert 5 - (time.monotonic() - begun) < seconds <= 5
