"""Receiving webhooks: verify the signature, read the event, and work on each one once."""

import json
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from os import PathLike
from typing import Any, Protocol, TypedDict, cast

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from complaints_client.errors import ClientError
from complaints_client.shapes import Complaint, Subject


class TracedEvent(TypedDict):
    """The event in a full payload, as the timeline shows it."""

    id: str
    actor: str
    at: str
    data: dict[str, Any]


class WebhookData(TypedDict, total=False):
    """Names and numbers after the event. Only a full payload has `complaint` and `event`; a test message is empty.

    `id`, `source`, `external_id`, `href` and `complaint` are None for a subject that is no complaint.
    """

    id: str | None
    number: str
    source: str | None
    external_id: str | None
    status: str
    sequence: int
    version: int
    href: str | None
    subject: Subject
    complaint: Complaint | None
    event: TracedEvent


class WebhookEvent(TypedDict):
    """The content of a webhook. `webhook.test` is the type of a test message."""

    type: str
    timestamp: str
    data: WebhookData


class BadWebhook(ClientError):
    """The request does not come from the server, came too late, or is no event. Answer it with 400."""


class SeenIds(Protocol):
    """Remembers the ids of webhooks. Write one on the tables of your own rows, or take `SeenIdsFile`."""

    def __contains__(self, webhook_id: object) -> bool:
        """True if the id was added before."""

    def add(self, webhook_id: str) -> None:
        """Remember the id."""


class SeenIdsFile:
    """Ids in an SQLite file of their own, for 60 days."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self._path = path
        with closing(self._connect()) as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)"
            )

    def __contains__(self, webhook_id: object) -> bool:
        with closing(self._connect()) as connection:
            found = connection.execute("SELECT 1 FROM seen WHERE id = ?", (webhook_id,)).fetchone()
        return found is not None

    def add(self, webhook_id: str) -> None:
        """Remember the id, on disk before the call returns."""
        with closing(self._connect()) as connection:
            connection.execute("INSERT OR IGNORE INTO seen (id) VALUES (?)", (webhook_id,))
            connection.execute("DELETE FROM seen WHERE at < datetime('now', '-60 days')")

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30, isolation_level=None)


class WebhookReceiver:
    """Takes the webhooks of one subscription. Threads may share a receiver; it works on one webhook at a time.

    `secrets` are those of the subscription, `whsec_…`: one, or the old and the new one while it is rotated.
    """

    def __init__(self, secrets: str | Sequence[str], seen: SeenIds) -> None:
        self._keys = [Webhook(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
        self._seen = seen
        self._turn = threading.Lock()

    def receive(self, headers: Mapping[str, str], body: bytes, work: Callable[[WebhookEvent], None]) -> bool:
        """Call `work` with the event, unless this webhook was worked on before. True if `work` was called.

        Raises BadWebhook if no secret fits the signature, or if it is older or newer than 5 minutes. If `work` raises,
        the id is not remembered: answer with 500, and the server sends the webhook again. After a crash at that moment
        `work` may be called a second time, unless `seen` is in the same transaction as its rows.
        """
        event = self.verify(headers, body)
        webhook_id = next(value for name, value in headers.items() if name.lower() == "webhook-id")
        with self._turn:
            if webhook_id in self._seen:
                return False
            work(event)
            self._seen.add(webhook_id)
            return True

    def verify(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """The event of a request whose signature fits. Raises BadWebhook."""
        failure: Exception | None = None
        for key in self._keys:
            try:
                key.verify(body, dict(headers), json_parse=False)
                return _read_event(body)
            except (WebhookVerificationError, ValueError) as error:
                failure = error
        raise BadWebhook(f"The webhook is refused: {failure}") from failure


def _read_event(body: bytes) -> WebhookEvent:
    content: Any = json.loads(body)
    if not (isinstance(content, dict) and isinstance(content.get("data"), dict) and "type" in content):
        raise BadWebhook("The body is no event with `type` and `data`.")
    return cast(WebhookEvent, content)
