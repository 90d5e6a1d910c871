"""The values of notifications: deliveries, messages, and what a channel answers. All instants are in UTC."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

COMPLAINANT = "complainant"
"""The recipient of a message to the complainant. The address stands in the complaint alone."""

ROBOT_PREFIX = "robot:"
"""Begins a recipient that is a robot of teams. No login has a colon."""


class Audience(StrEnum):
    """Who reads a message."""

    STAFF = "staff"
    COMPLAINANT = "complainant"


class MessageChannel(StrEnum):
    """The way of a message to its recipient."""

    MAIL = "mail"
    SMS = "sms"
    ROBOT = "robot"


class MessageStatus(StrEnum):
    """Where a delivery stands. `accepted`: the mail server or gateway took the message.

    `undelivered`: no channel took it, or it bounced. `moot`: when it was due, nobody needed it any more.
    """

    WAITING = "waiting"
    ACCEPTED = "accepted"
    UNDELIVERED = "undelivered"
    MOOT = "moot"


class RobotKind(StrEnum):
    """The service whose group robot it is."""

    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"


class ReceiptStatus(StrEnum):
    """What the gateway or mail server reported later about a message that it had accepted."""

    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """A message to one recipient that shall be sent.

    `event_id`, `audience`, `recipient`, `template` and `repetition` together are unique: a second one changes nothing.
    `recipient` is a login, a robot (`ROBOT_PREFIX` and its code), or `COMPLAINANT`. `channels` is the order in which
    channels are tried; without any, the delivery is undelivered from the start. It is not sent before `due_at`, by
    the clock of the service. Deliveries in a `digest` that are due together are sent as one message. `facts` has what
    the text needs and the database does not say later; it holds no personal data.
    """

    event_id: UUID
    audience: Audience
    recipient: str
    template: str
    language: str
    channels: tuple[MessageChannel, ...]
    due_at: datetime
    level: int = 0
    digest: bool = False
    repetition: int = 0
    complaint_id: UUID | None = None
    subject_id: UUID | None = None
    escalation_id: UUID | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDelivery(NewDelivery):
    """A delivery on record.

    `channel` is the channel that is tried now or took the message; `channels` are those left after it. `attempts`
    counts on that channel. `next_attempt_at` and `settled_at` are times of the wall clock. While a process sends the
    message, `next_attempt_at` is the end of its lease. `fault` says why the last attempt failed. `receipts` has the
    status of each part of the message.
    """

    id: UUID
    status: MessageStatus
    channel: MessageChannel | None
    attempts: int
    next_attempt_at: datetime | None
    provider_id: str | None
    receipt: ReceiptStatus | None
    receipts: dict[str, str]
    fault: str | None
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class RobotAccount:
    """A robot of a group chat. The URL and the secret are secret. `secret` None: it takes unsigned messages."""

    kind: RobotKind
    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that is ready to be sent. A second attempt sends it with the same `id`, so receivers can tell.

    `address` is a mail address, a phone number, or the code of a robot; `robot` is this robot. `html` is the text as
    HTML, for mail. `reply_to`, `return_path` and `in_reply_to` are those of a mail, as in `outbound.mail.Mail`.
    """

    id: UUID
    audience: Audience
    address: str
    language: str
    title: str
    text: str
    level: int = 0
    html: str | None = None
    reply_to: str | None = None
    return_path: str | None = None
    in_reply_to: str | None = None
    robot: RobotAccount | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The mail server or gateway took the message. `provider_id` is its name for it, if it gave one."""

    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class MessageRefusal:
    """The message can never go this way: the next channel is tried at once. `reason` holds no personal data."""

    reason: str


@dataclass(frozen=True, slots=True)
class ChannelOutage:
    """The channel did not work: it is tried again, not before `pause_seconds` if the other side named them."""

    reason: str
    pause_seconds: float | None = None


SendResult = Acceptance | MessageRefusal | ChannelOutage
