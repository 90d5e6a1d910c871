"""The rules of sending: pauses between attempts, and what becomes of a delivery after an attempt. Pure functions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from complaints.features.notifications.model import (
    Acceptance,
    ChannelOutage,
    MessageChannel,
    MessageDelivery,
    MessageStatus,
    ReceiptStatus,
    SendResult,
)

LEASE = timedelta(minutes=2)
"""A process that dies while it sends a message delays it by this time."""
LONGEST_SENDING = timedelta(seconds=35)
"""Every channel answers within this time. A sender begins no message whose lease could end before that."""
PAUSE_WITHOUT_ROOM = timedelta(seconds=5)
"""A message for which a robot has no room waits this time, so that those behind it get their turn."""
PAUSES_BEFORE_FALLBACK = (10, 60, 300)
"""The seconds before each further attempt, while another channel is left to fall back to."""
PAUSES_OF_LAST_CHANNEL = (10, 60, 300, 1_800, 7_200, 18_000, 36_000)
"""The seconds before each further attempt on the last channel."""
_LONGEST_FAULT = 200
_ADDRESSES = re.compile(r"<?[^\s<>]+@[^\s<>,;]+>?|\+?[0-9][0-9 ()-]{5,}[0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The members of a delivery that an attempt changes."""

    status: MessageStatus
    channel: MessageChannel | None
    channels: tuple[MessageChannel, ...]
    attempts: int
    next_attempt_at: datetime | None
    provider_id: str | None
    fault: str | None
    settled_at: datetime | None


def hide_addresses(text: str) -> str:
    """The answer of a server with a mask in place of mail addresses and phone numbers, at most 200 characters."""
    return _ADDRESSES.sub("****", text)[:_LONGEST_FAULT]


def settle(delivery: MessageDelivery, result: SendResult, wall: datetime) -> Settlement:
    """What becomes of a delivery after an attempt that ended at `wall`.

    An accepted message has arrived as far as the product can know. A channel that does not work is tried again after
    growing pauses. Then, or after a refusal at once, the next channel is tried. Without another channel the delivery
    is undelivered.
    """
    if isinstance(result, Acceptance):
        return _end(delivery, MessageStatus.ACCEPTED, wall, provider_id=result.provider_id)
    if isinstance(result, ChannelOutage):
        pauses = PAUSES_BEFORE_FALLBACK if delivery.channels else PAUSES_OF_LAST_CHANNEL
        if delivery.attempts <= len(pauses):
            pause = max(pauses[delivery.attempts - 1], result.pause_seconds or 0)
            return _wait(delivery, wall + timedelta(seconds=pause), fault=result.reason)
    if delivery.channels:
        return _fall_back(delivery, wall, fault=result.reason)
    return _end(delivery, MessageStatus.UNDELIVERED, wall, fault=result.reason)


def _end(
    delivery: MessageDelivery,
    status: MessageStatus,
    wall: datetime,
    *,
    provider_id: str | None = None,
    fault: str | None = None,
) -> Settlement:
    return Settlement(
        status=status,
        channel=delivery.channel,
        channels=(),
        attempts=delivery.attempts,
        next_attempt_at=None,
        provider_id=provider_id[:200] if provider_id else None,
        fault=hide_addresses(fault) if fault else None,
        settled_at=wall,
    )


def _wait(delivery: MessageDelivery, until: datetime, *, fault: str) -> Settlement:
    return Settlement(
        status=MessageStatus.WAITING,
        channel=delivery.channel,
        channels=delivery.channels,
        attempts=delivery.attempts,
        next_attempt_at=until,
        provider_id=None,
        fault=hide_addresses(fault),
        settled_at=None,
    )


def _fall_back(delivery: MessageDelivery, wall: datetime, *, fault: str) -> Settlement:
    channel, *left = delivery.channels
    return Settlement(
        status=MessageStatus.WAITING,
        channel=channel,
        channels=tuple(left),
        attempts=0,
        next_attempt_at=wall,
        provider_id=None,
        fault=hide_addresses(fault),
        settled_at=None,
    )


def end_as_moot(delivery: MessageDelivery, wall: datetime) -> Settlement:
    """What becomes of a delivery that nobody needs any more."""
    return _end(delivery, MessageStatus.MOOT, wall)


def judge_receipts(receipts: Mapping[str, str], parts: int) -> ReceiptStatus | None:
    """What the receipts of the parts say about a message of so many parts. None: it is not known yet.

    One part that failed makes the message unreadable.
    """
    if ReceiptStatus.FAILED in receipts.values():
        return ReceiptStatus.FAILED
    return ReceiptStatus.DELIVERED if len(receipts) >= parts else None
