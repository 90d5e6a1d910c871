"""The use cases of preferences and robots: who chooses how to hear, and the group chats of the house."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from complaints.domain.complaint.identity import find_phone_fault
from complaints.domain.errors import Forbidden, InvalidContent, NotFound
from complaints.domain.time.notation import parse_repeat
from complaints.features.notifications.commands import (
    ChannelContent,
    PutNotificationPreference,
    PutRobot,
)
from complaints.features.notifications.model import MessageChannel, RobotAccount
from complaints.features.notifications.preferences import (
    ChosenChannel,
    NotificationPreference,
    QuietHours,
)
from complaints.features.notifications.settings import NotificationSettings
from complaints.features.notifications.tables import robots
from complaints.features.notifications.tables.preferences import find_preferences, write_preference
from complaints.features.notifications.tables.robots import Robot as Robot
from complaints.outbound.urls import refuse_unsafe_url
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.configuration.staff import USERS
from complaints.use_cases.named_filters import check_member
from complaints.use_cases.service import Service, Transaction

log = logging.getLogger(__name__)


def own_login(caller: Caller) -> str:
    """The login of the caller. Raises Forbidden for a key without a user."""
    if caller.login is None:
        raise Forbidden("This key belongs to no user, so nobody is notified.")
    return caller.login


def load_preference(
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


# Robots ---------------------------------------------------------------------------------------------------------------


def list_robots(tx: Transaction, caller: Caller) -> Sequence[Robot]:
    """The robots of the house, by code. Raises Forbidden."""
    caller.require(Right.ADMINISTER)
    return robots.find_robots(tx)


def put_robot(service: Service, tx: Transaction, caller: Caller, code: str, command: PutRobot) -> Robot:
    """Make a robot, or replace it. Without a secret, the one on record stays.

    Raises Forbidden, and InvalidContent for a URL that may not be dialled and for an unknown team.
    """
    caller.require(Right.ADMINISTER)
    refuse_unsafe_url(command.url, service.webhook_allow)
    teams = service.configuration(tx).directory.teams
    for number, team in enumerate(command.teams):
        check_member(team, teams, pointer=f"/teams/{number}", thing="team")
    before = robots.find_robot(tx, code, lock=True)
    secret = command.secret or (before.account.secret if before else None)
    account = RobotAccount(command.kind, command.url, secret)
    made = Robot(
        code=code, account=account, teams=command.teams, language=command.language, active=command.active
    )
    if before is not None:
        made = replace(made, sent_at=before.sent_at, barred_until=before.barred_until)
    robots.write_robot(tx, made)
    log.info("a robot was written", extra={"robot": code, "caller": caller.actor})
    return made


def delete_robot(tx: Transaction, caller: Caller, code: str) -> None:
    """Delete a robot. Raises Forbidden, and NotFound."""
    caller.require(Right.ADMINISTER)
    if not robots.delete_robot(tx, code):
        raise NotFound(f"There is no robot {code!r}.")
    log.info("a robot was deleted", extra={"robot": code, "caller": caller.actor})
