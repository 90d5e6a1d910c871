"""The pure rules of webhooks: retries, choice of events, order."""

from datetime import UTC, datetime, timedelta

import pytest

from complaints.domain.scope import ALL_COMPLAINTS, NO_COMPLAINTS, Scope
from complaints.features.webhooks.rules import (
    DELAYS,
    DisabledReason,
    EventFacts,
    EventFilter,
    Interest,
    PendingDelivery,
    choose_disabling,
    choose_next,
    choose_width,
    may_follow,
    plan_retry,
    read_retry_after,
)

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
FACTS = EventFacts("complaint.created", "key:crm", "network", "network.outage", "high", "crm")


def test_the_waiting_times_are_those_of_the_specification() -> None:
    hours = [delay.total_seconds() / 3600 for delay in DELAYS]
    assert hours == [0, 5 / 3600, 300 / 3600, 0.5, 2, 5, 10, 14, 20, 24]
    for attempts, delay in enumerate(DELAYS[1:], start=1):
        least, most = (plan_retry(attempts, retry_after=None, chance=lambda x=x: x) for x in (0.0, 1.0))
        assert (least, most) == (delay, delay * 1.1)
    assert plan_retry(len(DELAYS), retry_after=timedelta(1), chance=lambda: 0.0) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 7 ", 7),
        ("999999999999", 86_400),
        ("Mon, 05 Jan 2026 09:01:00 GMT", 60),
        ("Mon, 05 Jan 2026 08:00:00 GMT", 0),
        ("Mon, 05 Jan 2026 08:00:00 +99999999999999999999", None),
        ("Mon, 05 Jan 99999999999999999999 08:00:00 GMT", None),
        ("soon", None),
        ("-5", None),
        ("１２", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: int | None) -> None:
    found = read_retry_after(header, NOW)
    assert found == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("width", "durations", "chosen"),
    [
        (1, [0, 1, 0], 1),  # at once: one thread is the quickest
        (1, [40, 60], 2),
        (2, [40, 60], 4),
        (8, [40, 60], 8),
        (1, [9], 1),
        (2, [10], 2),
        (8, [16, 14], 3),  # at once, but for the threads that stand in each other's way
        (3, [2, 2], 1),
        (8, [40, 1999], 8),
        (8, [40, 2000], 1),
        (8, [], 1),
    ],
)
def test_a_receiver_gets_as_many_messages_at_a_time_as_help(
    width: int, durations: list[int], chosen: int
) -> None:
    assert choose_width(width, durations) == chosen


def test_retry_after_makes_a_wait_longer_but_not_shorter() -> None:
    for wish, expected in ((1, 300), (600, 600), (10**6, 86_400)):
        wait = plan_retry(2, retry_after=timedelta(seconds=wish), chance=lambda: 0.0)
        assert wait == timedelta(seconds=expected)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, True),
        ({"types": ["complaint.created"]}, True),
        ({"types": ["complaint.closed"]}, False),
        ({"exclude_actors": ["key:crm"]}, False),
        ({"filter": EventFilter(team="network", category="network", priority="high", source="crm")}, True),
        ({"filter": EventFilter(category="net")}, False),
        ({"filter": EventFilter(category="network.outage.long")}, False),
        ({"filter": EventFilter(team="field")}, False),
        ({"filter": EventFilter(priority="urgent")}, False),
        ({"filter": EventFilter(source="web")}, False),
        ({"scope": Scope.sources(["crm"])}, True),
        ({"scope": Scope.sources(["web"])}, False),
    ],
)
def test_a_subscription_chooses_its_events(changed: dict[str, object], expected: bool) -> None:
    asked = {"types": ["*"], "filter": EventFilter(), "exclude_actors": [], "scope": ALL_COMPLAINTS}
    assert Interest(**(asked | changed)).includes(FACTS) is expected  # type: ignore[arg-type]


def test_rule_7_7_only_a_scope_of_everything_or_of_a_source_follows() -> None:
    scopes = [ALL_COMPLAINTS, Scope.sources(["crm"]), Scope.sources([]), Scope.teams(["x"]), NO_COMPLAINTS]
    assert [may_follow(scope) for scope in scopes] == [True, True, False, False, False]


def test_a_delivery_that_waits_stops_the_later_ones_of_its_complaint() -> None:
    later = NOW + timedelta(minutes=5)
    pending = [
        PendingDelivery(4, "a", NOW), PendingDelivery(1, "a", NOW), PendingDelivery(2, "b", later),
        PendingDelivery(3, "b", NOW), PendingDelivery(5, "b", later),
    ]  # fmt: skip
    assert choose_next(pending, NOW) == ([1, 4], {3: later})
    assert choose_next(pending, later) == ([1, 2, 3, 4, 5], {})


@pytest.mark.parametrize(
    ("statuses", "days", "expected"),
    [
        ([200], None, None),
        ([500, None], 4.9, None),
        ([500], 5, DisabledReason.FAILING),
        ([200, 410], None, DisabledReason.GONE),
    ],
)
def test_a_subscription_is_disabled_when_it_is_gone_or_fails_for_five_days(
    statuses: list[int | None], days: float | None, expected: DisabledReason | None
) -> None:
    since = None if days is None else NOW - timedelta(days=days)
    assert choose_disabling(statuses, since, NOW) is expected
