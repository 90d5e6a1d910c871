"""What callers send to notifications, with the checks that need no database."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from complaints.domain.time.notation import parse_repeat
from complaints.domain.time.zones import find_zone
from complaints.features.notifications.model import MessageChannel, RobotKind
from complaints.features.notifications.preferences import MORNING
from complaints.use_cases.commands.configuration import Identifier
from complaints.use_cases.commands.field_types import WHOLE, Code, Content, Reason, Switch

MOST_PARTS = 99


def _zone(name: str) -> str:
    if find_zone(name) is None:
        raise ValueError("must be an IANA time zone, such as Asia/Shanghai or UTC")
    return name


def _remind_every(text: str) -> str:
    if parse_repeat(text).seconds is None:
        raise ValueError("must be in hours or minutes, such as 4h or 90m")
    return text


LocalTime = Annotated[
    str,
    Field(
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="A local time in 24 hours, such as `09:00`."
    ),
]
NoticeLanguage = Annotated[Literal["en", "zh"], Field(description="The language of messages: `en` or `zh`.")]


class ChannelContent(Content):
    """A way to reach a user."""

    channel: Annotated[MessageChannel, Field(description="`mail`, `sms` or `robot`.")]
    address: Annotated[
        Code | None,
        Field(
            description="A phone number for `sms`, the code of a robot for `robot`. Mail needs none: the user has one."
        ),
    ] = None


class QuietHoursContent(Content):
    """A time of each day in which nothing is sent. It may pass midnight."""

    from_time: Annotated[LocalTime, Field(description="The local time at which it begins.")]
    until_time: Annotated[
        LocalTime, Field(description="The local time at which it ends, another one than the begin.")
    ]

    @field_validator("until_time")
    @classmethod
    def _is_another_time(cls, text: str, info: ValidationInfo) -> str:
        """Equal times are a mistake: one user means the whole day by them, another no time at all."""
        if text == info.data.get("from_time"):
            raise ValueError("must be another time than the begin of the quiet hours")
        return text


class PutNotificationPreference(Content):
    """How a user wants to hear. What is absent gets its usual value."""

    channels: Annotated[
        tuple[ChannelContent, ...],
        Field(max_length=3, description="The channels in the order in which they are tried."),
    ] = (ChannelContent(channel=MessageChannel.MAIL),)
    language: NoticeLanguage = "zh"
    timezone: Annotated[
        str | None,
        Field(max_length=100, description="The time zone of the user; null: that of the policy in force."),
        AfterValidator(lambda name: name if name is None else _zone(name)),
    ] = None
    immediate_level: Annotated[
        int,
        WHOLE,
        Field(
            ge=0, le=99, description="Messages from this level on are sent at once, others with the digest."
        ),
    ] = 1
    digest_times: Annotated[
        tuple[LocalTime, ...],
        Field(min_length=1, max_length=24, description="The local times of the digest."),
    ] = (MORNING,)
    quiet_hours: Annotated[
        QuietHoursContent | None,
        Field(description="When nothing is sent, except to a user on duty; null: never."),
    ] = None
    remind_every: Annotated[
        str | None,
        Field(
            max_length=20,
            description="The time between reminders of an escalation that nobody acknowledged, such as `4h`. "
            "At least one hour; null: no reminder.",
        ),
        AfterValidator(lambda text: text if text is None else _remind_every(text)),
    ] = None


class PutRobot(Content):
    """The robot of a group chat, in place of the one with the same code."""

    kind: Annotated[
        RobotKind, Field(description="The service of the group chat: `wecom`, `dingtalk` or `feishu`.")
    ]
    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2000,
            description="The URL that the service gave the robot. It is never shown again.",
        ),
    ]
    secret: Annotated[
        Code | None,
        Field(
            description="The secret for signatures, if any. It is never shown again; null keeps the one on record."
        ),
    ] = None
    teams: Annotated[
        tuple[Identifier, ...],
        Field(max_length=200, description="The codes of the teams whose escalations the robot hears."),
    ] = ()
    language: NoticeLanguage = "zh"
    active: Annotated[Switch, Field(description="False: nothing is sent to the robot.")] = True


class PostReceipt(Content):
    """What became of one part of a message that the gateway had accepted."""

    status: Annotated[Literal["delivered", "failed"], Field(description="`delivered` or `failed`.")]
    part: Annotated[int, WHOLE, Field(ge=1, le=MOST_PARTS, description="The number of the part, from 1.")] = 1
    parts: Annotated[
        int, WHOLE, Field(ge=1, le=MOST_PARTS, description="How many parts the message has.")
    ] = 1
    reason: Annotated[Reason | None, Field(description="Why it failed, in the words of the gateway.")] = None
