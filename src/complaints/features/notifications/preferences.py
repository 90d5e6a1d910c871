"""How a user wants to hear: channels, times, digests. Pure functions; local times are in the zone of the user."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from complaints.domain.staff import User
from complaints.features.notifications.model import MessageChannel

MORNING = "09:00"


@dataclass(frozen=True, slots=True)
class ChosenChannel:
    """A channel of a user. `address` is a phone number or the code of a robot; mail goes to the address of the user."""

    channel: MessageChannel
    address: str | None = None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A time of each day in which nothing is sent, as local times such as 22:00 and 07:00. It may pass midnight.

    If both times are equal, it is no time at all: nobody misses an escalation because of a mistake.
    """

    quiet_from: str
    quiet_until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationPreference:
    """The wishes of a user (rules 10.2 to 10.5).

    The channels are tried in order. Messages from level `immediate_level` on are sent at once, the others gathered
    for the next of the `digest_times`. Without `timezone`, the zone of the policy counts.
    """

    channels: tuple[ChosenChannel, ...] = (ChosenChannel(MessageChannel.MAIL),)
    language: str = "zh"
    timezone: str | None = None
    immediate_level: int = 1
    digest_times: tuple[str, ...] = (MORNING,)
    quiet: QuietHours | None = None
    remind_every_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class SendingTime:
    """When a message is due, and whether it waits for a digest."""

    due_at: datetime
    digest: bool


def choose_channels(
    preference: NotificationPreference, user: User | None, usable: Collection[MessageChannel]
) -> tuple[MessageChannel, ...]:
    """The channels by which a user can be reached, in the order of the user (rule 10.5)."""
    return tuple(
        chosen.channel
        for chosen in preference.channels
        if chosen.channel in usable and find_address(preference, user, chosen.channel)
    )


def find_address(
    preference: NotificationPreference, user: User | None, channel: MessageChannel
) -> str | None:
    """The address of a user on a channel. None: the user has none, or is no longer active."""
    if user is None or not user.active:
        return None
    chosen = next((one for one in preference.channels if one.channel is channel), None)
    if chosen is None:
        return None
    return user.email if channel is MessageChannel.MAIL else chosen.address


def choose_time(
    preference: NotificationPreference, level: int, now: datetime, *, timezone: str, on_duty: bool
) -> SendingTime:
    """When a message of this level is sent (rules 10.2 and 10.3). `timezone` is that of the policy.

    Quiet hours hold back. A user on duty is awake.
    """
    zone = ZoneInfo(preference.timezone or timezone)
    digest = level < preference.immediate_level
    at = min(_next_time(now, text, zone) for text in preference.digest_times) if digest else now
    quiet = preference.quiet
    if quiet is not None and not on_duty and _is_quiet(at, quiet, zone):
        at = _next_time(at, quiet.quiet_until, zone)
    return SendingTime(at, digest)


def choose_reminder_time(
    preference: NotificationPreference, now: datetime, *, timezone: str, on_duty: bool
) -> datetime | None:
    """When a user is reminded of an escalation that was sent now (rule 10.4). None: never."""
    if preference.remind_every_seconds is None:
        return None
    at = now + timedelta(seconds=preference.remind_every_seconds)
    urgent = preference.immediate_level
    return choose_time(preference, urgent, at, timezone=timezone, on_duty=on_duty).due_at


def _next_time(after: datetime, text: str, zone: ZoneInfo) -> datetime:
    """The first instant after `after` at which local clocks show `text`. In a gap of summer time, the clocks jump."""
    local = after.astimezone(zone)
    wanted = time.fromisoformat(text)
    for days in range(3):
        at = datetime.combine(local.date() + timedelta(days=days), wanted, tzinfo=zone).astimezone(UTC)
        if at > after:
            return at
    raise AssertionError("every local time comes within two days")


def _is_quiet(at: datetime, quiet: QuietHours, zone: ZoneInfo) -> bool:
    local = at.astimezone(zone).strftime("%H:%M")
    if quiet.quiet_from <= quiet.quiet_until:
        return quiet.quiet_from <= local < quiet.quiet_until
    return local >= quiet.quiet_from or local < quiet.quiet_until
