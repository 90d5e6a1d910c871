"""The answers of the routes of notifications, and the query of their list."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field

from complaints.api.openapi.example_files import read_examples
from complaints.api.openapi.models import AnswerModel, Id, example, example_in_list
from complaints.api.pages import PageQuery
from complaints.api.query_types import FilterText, Reference
from complaints.domain.json_text import to_json
from complaints.features.notifications.commands import LocalTime
from complaints.features.notifications.model import (
    Audience,
    MessageChannel,
    MessageDelivery,
    MessageStatus,
    ReceiptStatus,
    RobotKind,
)
from complaints.features.notifications.preferences import NotificationPreference
from complaints.features.notifications.tables.robots import Robot

EXAMPLES = read_examples("complaints.features.notifications")
_HOUR, _MINUTE = 3600, 60


class ChosenChannelShown(AnswerModel):
    """A way to reach a user."""

    channel: MessageChannel
    address: Annotated[
        str | None, Field(description="A phone number, or the code of a robot; null for mail.")
    ]


class QuietHoursShown(AnswerModel):
    """A time of each day in which nothing is sent."""

    from_time: Annotated[LocalTime, Field(description="The local time at which it begins.")]
    until_time: Annotated[LocalTime, Field(description="The local time at which it ends.")]


class NotificationPreferenceShown(AnswerModel):
    """How a user wants to hear."""

    model_config = example(EXAMPLES["preference"])

    login: str
    channels: Annotated[list[ChosenChannelShown], Field(description="In the order in which they are tried.")]
    language: Annotated[str, Field(description="`en` or `zh`.")]
    timezone: Annotated[str | None, Field(description="Null: the zone of the policy in force.")]
    immediate_level: Annotated[int, Field(description="From this level on messages are sent at once.")]
    digest_times: Annotated[list[LocalTime], Field(description="When the others are sent, as one message.")]
    quiet_hours: Annotated[
        QuietHoursShown | None, Field(description="When nothing is sent, except to a user on duty.")
    ]
    remind_every: Annotated[str | None, Field(description="The time between reminders; null: none.")]


class RobotShown(AnswerModel):
    """The robot of a group chat, without its secrets."""

    model_config = example(EXAMPLES["robot"])

    code: Annotated[str, Field(description="The name that users and settings give the robot.")]
    kind: RobotKind
    host: Annotated[str, Field(description="The host of its URL.")]
    has_secret: Annotated[bool, Field(description="True if its messages are signed.")]
    teams: list[str]
    language: str
    active: bool


class RobotList(AnswerModel):
    """All robots, by code."""

    items: list[RobotShown]


class MessageDeliveryShown(AnswerModel):
    """A message to one recipient, and what became of it. It shows no address and no text."""

    model_config = example_in_list(EXAMPLES["delivery"])

    id: Id
    event_id: Annotated[Id, Field(description="The event that the message is about.")]
    complaint_id: Id | None
    subject_id: Annotated[Id | None, Field(description="The other subject that the message is about.")]
    escalation_id: Annotated[Id | None, Field(description="The escalation that the message is about.")]
    audience: Annotated[Audience, Field(description="Who reads it: `staff` or `complainant`.")]
    recipient: Annotated[
        str, Field(description="A login, `robot:` and the code of a robot, or `complainant`.")
    ]
    template: Annotated[str, Field(description="The kind of the message.")]
    language: str
    level: Annotated[int, Field(description="The level of the escalation; 0 for everything else.")]
    repetition: Annotated[
        int, Field(description="0 for the message itself, then the number of the reminder.")
    ]
    channel: Annotated[
        MessageChannel | None, Field(description="The channel that is tried, or that took the message.")
    ]
    channels: Annotated[list[MessageChannel], Field(description="The channels that are tried after it.")]
    digest: Annotated[bool, Field(description="True if it is sent together with others.")]
    status: MessageStatus
    due_at: Annotated[datetime, Field(description="Not sent before, by the clock of the service.")]
    attempts: Annotated[int, Field(description="The attempts on this channel.")]
    next_attempt_at: Annotated[datetime | None, Field(description="The next attempt, by the wall clock.")]
    provider_id: Annotated[
        str | None, Field(description="The name that the mail server or gateway gave the message.")
    ]
    receipt: Annotated[ReceiptStatus | None, Field(description="What the gateway reported later.")]
    fault: Annotated[str | None, Field(description="Why the last attempt failed, without addresses.")]
    created_at: datetime
    settled_at: Annotated[
        datetime | None, Field(description="When it was accepted or given up, by the wall clock.")
    ]


class MessageDeliveryPage(AnswerModel):
    """A page of deliveries, newest first."""

    items: list[MessageDeliveryShown]
    next_cursor: str | None


class DeliveryQuery(PageQuery):
    """Which deliveries."""

    complaint: Annotated[Reference | None, Field(description="Id or number of the complaint.")] = None
    recipient: Annotated[
        FilterText | None, Field(description="A login, or `robot:` and the code of a robot.")
    ] = None
    audience: Annotated[Audience | None, Field(description="`staff` or `complainant`.")] = None
    channel: Annotated[MessageChannel | None, Field(description="`mail`, `sms` or `robot`.")] = None
    status: Annotated[
        MessageStatus | None, Field(description="`waiting`, `accepted`, `undelivered` or `moot`.")
    ] = None


def preference_json(login: str, found: NotificationPreference) -> dict[str, Any]:
    """A preference as the API shows it."""
    quiet, every = found.quiet, found.remind_every_seconds
    return {
        "login": login,
        "channels": [{"channel": one.channel, "address": one.address} for one in found.channels],
        "language": found.language,
        "timezone": found.timezone,
        "immediate_level": found.immediate_level,
        "digest_times": list(found.digest_times),
        "quiet_hours": {"from_time": quiet.quiet_from, "until_time": quiet.quiet_until} if quiet else None,
        "remind_every": _length(every) if every else None,
    }


def _length(seconds: int) -> str:
    return f"{seconds // _HOUR}h" if seconds % _HOUR == 0 else f"{seconds // _MINUTE}m"


def robot_json(found: Robot) -> dict[str, Any]:
    """A robot as the API shows it."""
    return {
        "code": found.code,
        "kind": found.account.kind,
        "host": urlsplit(found.account.url).hostname,
        "has_secret": found.account.secret is not None,
        "teams": list(found.teams),
        "language": found.language,
        "active": found.active,
    }


def delivery_json(found: MessageDelivery) -> Mapping[str, Any]:
    """A delivery as the API shows it."""
    return {name: to_json(getattr(found, name)) for name in MessageDeliveryShown.model_fields}
