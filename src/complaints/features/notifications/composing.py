"""From leased deliveries to messages: each audience has its own way."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from complaints.features.notifications.complainants.composing import compose_for_complainants
from complaints.features.notifications.model import (
    Audience,
    ChannelOutage,
    Message,
    MessageChannel,
    MessageDelivery,
)
from complaints.features.notifications.sending import Compose, Parcel
from complaints.features.notifications.staff_messages import compose_for_staff
from complaints.features.notifications.texts import TextWriter
from complaints.use_cases.complaints.signed_addresses import AddressPurpose, make_signed_address
from complaints.use_cases.service import Service, Transaction

log = logging.getLogger(__name__)
ComposeFor = Callable[[Service, Transaction, Sequence[MessageDelivery]], Sequence[Parcel]]


def compose_by_audience(service: Service, writer: TextWriter) -> Compose:
    """The function that makes the messages of leased deliveries, each by the way of its audience."""
    composers: dict[Audience, ComposeFor] = {
        Audience.STAFF: partial(compose_for_staff, writer=writer),
        Audience.COMPLAINANT: compose_for_complainants,
    }
    return partial(_compose, service, composers)


def _compose(
    service: Service,
    composers: Mapping[Audience, ComposeFor],
    tx: Transaction,
    leased: Sequence[MessageDelivery],
) -> Sequence[Parcel]:
    return [
        _with_return_path(service, tx, parcel)
        for audience, compose in composers.items()
        if (own := [one for one in leased if one.audience is audience])
        for parcel in _compose_each(compose, service, tx, own)
    ]


def _with_return_path(service: Service, tx: Transaction, parcel: Parcel) -> Parcel:
    """The parcel with an address for bounces, if the mailbox is read: it names the first of the deliveries."""
    mailbox = service.mail.reply_to if service.mail else None
    message = parcel.message
    is_mail = parcel.deliveries[0].channel is MessageChannel.MAIL
    if mailbox is None or not is_mail or not isinstance(message, Message):
        return parcel
    address = make_signed_address(tx, mailbox, AddressPurpose.BOUNCE, parcel.deliveries[0].id)
    return replace(parcel, message=replace(message, return_path=address))


def _compose_each(
    compose: ComposeFor, service: Service, tx: Transaction, own: Sequence[MessageDelivery]
) -> Sequence[Parcel]:
    """Make messages. One that cannot be made stops no other: they are then made one by one."""
    try:
        with tx.isolated():
            return compose(service, tx, own)
    except Exception as error:  # a fault of the program: it is logged, and the delivery is tried again
        if len(own) > 1:
            return [parcel for one in own for parcel in _compose_each(compose, service, tx, [one])]
        log.exception("a message could not be made", extra={"id": str(own[0].id)})
        return [Parcel((own[0],), ChannelOutage(f"The message could not be made: {type(error).__name__}."))]
