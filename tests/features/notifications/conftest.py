"""A service with a wall clock that tests move."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from complaints.domain.scope import ALL_COMPLAINTS
from complaints.features.notifications.model import MessageDelivery
from complaints.features.notifications.tables.deliveries import DeliveryFilter, list_deliveries
from complaints.use_cases.service import Service, Transaction
from tests.support import Scenario


@dataclass
class WallClock:
    """A wall clock that stands still until a test moves it."""

    now: datetime = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@pytest.fixture
def wall() -> WallClock:
    return WallClock()


@pytest.fixture
def sender(service: Service, wall: WallClock) -> Service:
    """The service with the wall clock of the test."""
    return replace(service, wall=wall, public_url="https://complaints.example")


@pytest.fixture
def staff(sender: Service) -> Scenario:
    return Scenario(sender)


def all_deliveries(tx: Transaction) -> list[MessageDelivery]:
    """Every delivery, oldest first."""
    asked = {"complaint_id": None, "scope": ALL_COMPLAINTS, "login": None, "before": None, "limit": 10_000}
    return list(reversed(list_deliveries(tx, DeliveryFilter(), **asked)))
