"""SMS: a signed webhook to the gateway of the operator, which sends the message and reports later."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from complaints.features.notifications.model import (
    Acceptance,
    ChannelOutage,
    Message,
    MessageRefusal,
    SendResult,
)
from complaints.outbound.reply import ReceiverReply, SendingFailed
from complaints.outbound.signing import sign

if TYPE_CHECKING:
    from complaints.outbound.http_client import GuardedClient

LONGEST_TEXT = 500
"""The code points of an SMS. The gateway sends it in several parts."""
_PASSING = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class SmsChannel:
    """Hands messages to the gateway at `url`. `public_url` is where its receipts go, if the address is known."""

    open_client: "Callable[[], GuardedClient]"
    url: str
    secret: str
    wall: Callable[[], datetime]
    public_url: str | None = None

    def send(self, message: Message) -> SendResult:
        """Hand a message over. The gateway knows a repetition by its `webhook-id`."""
        body = json.dumps(self._content(message), ensure_ascii=False).encode()
        signed = sign(str(message.id), body, at=self.wall(), secrets_in_use=[self.secret])
        headers = {"Content-Type": "application/json; charset=utf-8", **signed}
        try:
            return judge(self.open_client().post(self.url, body, headers))
        except SendingFailed as failure:
            return ChannelOutage(str(failure))

    def _content(self, message: Message) -> dict[str, str | None]:
        receipts = f"{self.public_url}/v1/deliveries/{message.id}/receipt" if self.public_url else None
        return {
            "type": "sms.send",
            "id": str(message.id),
            "to": message.address,
            "text": message.text[:LONGEST_TEXT],
            "language": message.language,
            "receipt_url": receipts,
        }


def judge(reply: ReceiverReply) -> SendResult:
    """What the answer of the gateway means."""
    if reply.is_success:
        return Acceptance(_id_in(reply.body))
    reason = f"The gateway answered with status {reply.status}."
    if 400 <= reply.status < 500 and reply.status not in _PASSING:
        return MessageRefusal(reason)
    return ChannelOutage(reason, _pause_in(reply))


def _pause_in(reply: ReceiverReply) -> float | None:
    asked = reply.headers.get("retry-after", "")
    return min(float(asked), 3600.0) if asked.isascii() and asked.isdigit() else None


def _id_in(body: bytes) -> str | None:
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    found = answer.get("id") if isinstance(answer, dict) else None
    return found if isinstance(found, str) and found.isprintable() else None
