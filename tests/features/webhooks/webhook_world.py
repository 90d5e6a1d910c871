"""A server's parts for tests of webhooks: a service that may reach this machine, receivers, and a sender."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from standardwebhooks import Webhook as Verifier

from complaints.features.webhooks import attempt, planning
from complaints.features.webhooks.messages import forms_of
from complaints.features.webhooks.sending import Sender
from complaints.features.webhooks.settings import WebhookSettings
from complaints.use_cases.service import Service
from complaints.wiring.annexes import declared_annexes
from tests.api_client import ApiClient
from tests.http_receiver import HttpReceiver, ReceivedPost
from tests.support import Scenario, api_client

SETTINGS = WebhookSettings(threads=16, timeout_seconds=5)


@dataclass(slots=True)
class WallClock:
    """A wall clock that tests move. Without a move it goes as the real one."""

    moved: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC) + self.moved  # noqa: TID251 - stands for the wall clock

    def move(self, **delta: float) -> None:
        """Let time pass at once."""
        self.moved += timedelta(**delta)


@dataclass(slots=True)
class WebhookWorld:
    """A service whose deliveries a test plans and sends. `wall` is its wall clock."""

    scenario: Scenario
    service: Service
    client: ApiClient
    wall: WallClock

    def subscribe(self, receiver: HttpReceiver, **members: Any) -> dict[str, Any]:
        """A subscription of the first key that hears its own changes too."""
        body = {"url": receiver.url, "exclude_actors": [], **members}
        made = self.client.post("/v1/webhooks", json=body)
        assert made.status_code == 201, made.text
        found: dict[str, Any] = made.json()
        return found

    def plan(self) -> None:
        """Let the follower read all events."""
        while planning.plan_next(self.service, SETTINGS):
            pass

    def send(self) -> None:
        """Plan and send what is due."""
        self.plan()
        forms = forms_of(declared_annexes())
        Sender(self.service, SETTINGS, forms=forms, chance=lambda: 0.0).run(lambda: False)

    def log(self, webhook: dict[str, Any]) -> list[dict[str, Any]]:
        """The delivery log of a subscription, oldest first."""
        items = self.client.get(f"/v1/webhooks/{webhook['id']}/deliveries?limit=200").json()["items"]
        return list(reversed(items))

    def show(self, webhook: dict[str, Any]) -> dict[str, Any]:
        """A subscription as it is now."""
        found: dict[str, Any] = self.client.get(f"/v1/webhooks/{webhook['id']}").json()
        return found


def verify(post: ReceivedPost, secret: str) -> dict[str, Any]:
    """The message, as the library of Standard Webhooks reads it. Raises its error for a wrong signature."""
    message: dict[str, Any] = Verifier(secret).verify(post.body, dict(post.headers))
    assert message == json.loads(post.body)
    return message


@contextmanager
def webhook_world(scenario: Scenario, *, allow: str = "127.0.0.1") -> Iterator[WebhookWorld]:
    """The world over the database of `scenario`."""
    wall = WallClock()
    service = replace(
        scenario.service, wall=wall, webhook_allow=allow, public_url="https://complaints.example"
    )
    with api_client(service) as client:
        yield WebhookWorld(Scenario(service), service, client, wall)
    # Only the connections go. The next test uses the clients too: to make one reads all certificates.
    for opened in attempt._clients.values():
        opened.close()
