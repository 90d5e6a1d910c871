"""The ways out of the house: each channel with how its messages are made and what follows from their outcome."""

from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

from complaints.api.feature import Annexes
from complaints.features.notifications import delivery_use_cases
from complaints.features.notifications.composing import compose_by_audience
from complaints.features.notifications.following import plan_reminder
from complaints.features.notifications.mail_channel import MailChannel
from complaints.features.notifications.model import (
    Audience,
    ChannelOutage,
    Message,
    MessageChannel,
    MessageDelivery,
    MessageStatus,
    SendResult,
)
from complaints.features.notifications.robots import BARRED_SECONDS, RobotChannel
from complaints.features.notifications.rules import Settlement
from complaints.features.notifications.sending import IsStopping, OutgoingChannel, Outlet, never, send_next
from complaints.features.notifications.settings import NotificationSettings
from complaints.features.notifications.sms import SmsChannel
from complaints.features.notifications.tables.deliveries import has_due
from complaints.features.notifications.tables.robots import bar_robot
from complaints.features.notifications.texts import TextWriter
from complaints.outbound.allow_list import parse_allow_list
from complaints.use_cases.service import Service, Transaction

if TYPE_CHECKING:
    from complaints.outbound.http_client import GuardedClient

BATCH = 100


def has_mails(service: Service, _settings: NotificationSettings, tx: Transaction) -> bool:
    """True if a mail is due and there is a mail server."""
    return service.mail is not None and has_due(tx, MessageChannel.MAIL, service.wall())


def send_mails(
    service: Service, settings: NotificationSettings, annexes: Annexes, is_stopping: IsStopping = never
) -> int:
    """Send the next mails."""
    if service.mail is None:
        return 0
    channel = MailChannel(service.mail, service.wall)
    return _send(service, settings, annexes, MessageChannel.MAIL, channel, is_stopping)


def has_sms(service: Service, settings: NotificationSettings, tx: Transaction) -> bool:
    """True if an SMS is due and there is a gateway."""
    return settings.sms_url is not None and has_due(tx, MessageChannel.SMS, service.wall())


def send_sms(
    service: Service, settings: NotificationSettings, annexes: Annexes, is_stopping: IsStopping = never
) -> int:
    """Hand the next SMS to the gateway."""
    if settings.sms_url is None or settings.sms_secret is None:
        return 0
    channel = SmsChannel(
        partial(_open_client, service.webhook_allow),
        settings.sms_url,
        settings.sms_secret.get_secret_value(),
        service.wall,
        service.public_url,
    )
    return _send(service, settings, annexes, MessageChannel.SMS, channel, is_stopping)


def has_for_robots(service: Service, _settings: NotificationSettings, tx: Transaction) -> bool:
    """True if a message to a robot is due."""
    return has_due(tx, MessageChannel.ROBOT, service.wall())


def send_to_robots(
    service: Service, settings: NotificationSettings, annexes: Annexes, is_stopping: IsStopping = never
) -> int:
    """Send the next messages to robots."""
    channel = RobotChannel(partial(_open_client, service.webhook_allow), service.wall)
    return _send(service, settings, annexes, MessageChannel.ROBOT, channel, is_stopping)


@cache
def _open_client(allowed: str) -> "GuardedClient":
    # To load the library takes 0.1 s, and many processes send neither SMS nor messages to robots.
    from complaints.outbound.http_client import GuardedClient

    return GuardedClient(parse_allow_list(allowed))


def _send(
    service: Service,
    settings: NotificationSettings,
    annexes: Annexes,
    name: MessageChannel,
    channel: OutgoingChannel,
    is_stopping: IsStopping,
) -> int:
    outlet = Outlet(
        name,
        channel,
        compose_by_audience(service, TextWriter(annexes.template_folders)),
        partial(note_outcome, service, settings),
        partial(_answered, service),
    )
    return send_next(service, outlet, limit=BATCH, is_stopping=is_stopping)


def note_outcome(
    service: Service,
    settings: NotificationSettings,
    tx: Transaction,
    delivery: MessageDelivery,
    settlement: Settlement,
) -> None:
    """What follows from the outcome of an attempt: an escalation (rule 10.6), or a reminder later (rule 10.4)."""
    if settlement.status is MessageStatus.UNDELIVERED:
        delivery_use_cases.report_lost(service, tx, delivery, settlement.fault or "")
    if delivery.audience is Audience.STAFF:
        plan_reminder(service, settings, tx, delivery, settlement)


def _answered(service: Service, tx: Transaction, message: Message, result: SendResult) -> None:
    """A robot that bars us gets nothing until it listens again."""
    pause = result.pause_seconds if isinstance(result, ChannelOutage) else None
    if message.robot is not None and pause == BARRED_SECONDS:
        bar_robot(tx, message.address, service.wall() + timedelta(seconds=pause))
