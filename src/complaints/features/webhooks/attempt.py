"""One attempt: it sends a signed message to a receiver, and says what became of it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from complaints.api.feature import FormedMessage
from complaints.features.webhooks.messages import EVENT_GONE
from complaints.features.webhooks.rules import read_retry_after
from complaints.features.webhooks.tables.subscriptions import Webhook
from complaints.outbound.allow_list import parse_allow_list
from complaints.outbound.reply import SendingFailed
from complaints.outbound.signing import sign

if TYPE_CHECKING:
    from complaints.outbound.http_client import GuardedClient

_clients: dict[tuple[str, float], "GuardedClient"] = {}
_opening = threading.Lock()


def open_client(allowed: str, seconds: float) -> "GuardedClient":
    """The client of this process for an allow-list and a time limit. It keeps connections open between messages."""
    # To load the library takes 0.1 s, and many installations have no webhook.
    from complaints.outbound.http_client import GuardedClient

    with _opening:  # many threads may ask for the first one
        if (allowed, seconds) not in _clients:
            _clients[allowed, seconds] = GuardedClient(parse_allow_list(allowed), seconds=seconds)
        return _clients[allowed, seconds]


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of one attempt. `status` is None if no answer came; `failure` then says why.

    Without both there was no message to send.
    """

    at: datetime
    duration_ms: int
    status: int | None = None
    failure: str | None = None
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        """True if the receiver took every message."""
        return self.is_empty or (self.status is not None and 200 <= self.status <= 299)

    @property
    def is_empty(self) -> bool:
        """True if the event has no message in the form of the subscription."""
        return self.status is None and self.failure is None

    @property
    def was_sent(self) -> bool:
        """True unless there was nothing to send: no message, or the month of the event is detached."""
        return not self.is_empty and self.failure != EVENT_GONE


def send_message(
    client: "GuardedClient",
    webhook: Webhook,
    message: FormedMessage,
    content_type: str,
    now: Callable[[], datetime],
) -> SendResult:
    """Send one signed message and say what became of it. It takes 15 seconds at most."""
    at, begun = now(), time.monotonic()
    signed = sign(str(message.id), message.body, at=at, secrets_in_use=webhook.secrets_at(at))
    headers = {"content-type": content_type, "user-agent": "complaints", **signed}
    try:
        reply = client.post(webhook.url, message.body, headers)
    except SendingFailed as failed:
        return SendResult(at, _since(begun), failure=failed.reason)
    retry_after = read_retry_after(reply.headers.get("retry-after"), at)
    return SendResult(at, _since(begun), reply.status, retry_after=retry_after)


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
