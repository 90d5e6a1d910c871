"""The use cases of preferences: how a user wants to hear."""

from complaints.domain.complaint.identity import find_phone_fault
from complaints.domain.errors import Forbidden, InvalidContent
from complaints.domain.time.notation import parse_repeat
from complaints.features.notifications.commands import ChannelContent, PutNotificationPreference
from complaints.features.notifications.model import MessageChannel
from complaints.features.notifications.preferences import (
    ChosenChannel,
    NotificationPreference,
    QuietHours,
)
from complaints.features.notifications.settings import NotificationSettings
from complaints.features.notifications.tables import robots
from complaints.features.notifications.tables.preferences import find_preferences, write_preference
from complaints.use_cases.access import Caller
from complaints.use_cases.configuration.staff import USERS
from complaints.use_cases.service import Service, Transaction


def own_login(caller: Caller) -> str:
    """The login of the caller. Raises Forbidden for a key without a user."""
    if caller.login is None:
        raise Forbidden("This key belongs to no user, so nobody is notified.")
    return caller.login


def load_notification_preference(
    service: Service, tx: Transaction, settings: NotificationSettings, login: str
) -> NotificationPreference:
    """How a user wants to hear. Raises NotFound for an unknown user."""
    USERS.load(service.cache.current(tx, certain=True), login)
    usual = NotificationPreference(language=settings.language)
    return find_preferences(tx, {login}).get(login, usual)


def put_preference(
    service: Service, tx: Transaction, login: str, command: PutNotificationPreference
) -> NotificationPreference:
    """Replace the wishes of a user. Raises NotFound for an unknown user, and InvalidContent."""
    USERS.load(service.cache.current(tx, certain=True), login)
    for number, chosen in enumerate(command.channels):
        _check_channel(tx, chosen, f"/channels/{number}")
    if len({chosen.channel for chosen in command.channels}) < len(command.channels):
        raise InvalidContent.at("/channels", "Each channel may stand there once.")
    preference = _preference_of(command)
    write_preference(tx, login, preference)
    return preference


def _check_channel(tx: Transaction, chosen: ChannelContent, pointer: str) -> None:
    if chosen.channel is MessageChannel.MAIL:
        if chosen.address is not None:
            raise InvalidContent.at(f"{pointer}/address", "Mail goes to the address of the user.")
        return
    if chosen.address is None:
        raise InvalidContent.at(f"{pointer}/address", f"The channel {chosen.channel} needs an address.")
    if chosen.channel is MessageChannel.SMS:
        if (fault := find_phone_fault(chosen.address)) is not None:
            raise InvalidContent.at(f"{pointer}/address", f"address: {fault}")
    elif robots.find_robot(tx, chosen.address) is None:
        raise InvalidContent.at(f"{pointer}/address", "There is no robot with this code.")


def _preference_of(command: PutNotificationPreference) -> NotificationPreference:
    quiet = command.quiet_hours
    every = parse_repeat(command.remind_every).seconds if command.remind_every else None
    return NotificationPreference(
        channels=tuple(ChosenChannel(one.channel, one.address) for one in command.channels),
        language=command.language,
        timezone=command.timezone,
        immediate_level=command.immediate_level,
        digest_times=command.digest_times,
        quiet=QuietHours(quiet.from_time, quiet.until_time) if quiet else None,
        remind_every_seconds=every,
    )
