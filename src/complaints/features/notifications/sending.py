"""The sender: leases deliveries in a short transaction, sends them outside any, and settles them in another.

A message is sent at least once. A process that is killed after a message was accepted and before that was noted sends
it again after the lease, with the same id.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from complaints.features.notifications import rules, tables
from complaints.features.notifications.model import (
    ChannelOutage,
    Message,
    MessageChannel,
    MessageDelivery,
    MessageStatus,
    SendResult,
)
from complaints.use_cases.service import Service, Transaction

log = logging.getLogger(__name__)


class OutgoingChannel(Protocol):
    """A way out of the house. It knows no table and no rule."""

    def send(self, message: Message) -> SendResult:
        """Send a message. It returns what the other side answered, within seconds, and raises nothing for that."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message and the deliveries that it settles. Without a message they are moot."""

    deliveries: tuple[MessageDelivery, ...]
    message: Message | None


Compose = Callable[[Transaction, Sequence[MessageDelivery]], Sequence[Parcel]]
"""Makes the messages of leased deliveries. A delivery that stands in no parcel is given back and tried again."""
Lost = Callable[[Transaction, MessageDelivery, str], None]
"""Is called in the transaction in which a delivery becomes undelivered, with the reason."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """A channel, how its messages are made, and what happens if one reaches nobody."""

    name: MessageChannel
    channel: OutgoingChannel
    compose: Compose
    lost: Lost


def send_next(service: Service, outlet: Outlet, *, limit: int) -> int:
    """Send the next messages that are due on a channel, at most `limit`. Returns how many were tried."""
    # Look first: on SQLite, a write transaction without work would stop all other writers.
    if not service.read(lambda tx: tables.has_due(tx, outlet.name, service.wall())):
        return 0
    leased = service.write(lambda tx: tables.lease(tx, outlet.name, service.wall(), limit=limit))
    if not leased:
        return 0
    parcels = service.read(lambda tx: outlet.compose(tx, leased))
    for parcel in parcels:
        _deliver(service, outlet, parcel)
    tried = {one.id for parcel in parcels for one in parcel.deliveries}
    if left := [one for one in leased if one.id not in tried]:
        service.write(lambda tx: tables.release(tx, left, wall=service.wall()))
    return len(tried)


def _deliver(service: Service, outlet: Outlet, parcel: Parcel) -> None:
    result = _send(outlet.channel, parcel.message) if parcel.message else None

    def note(tx: Transaction) -> None:
        for delivery in parcel.deliveries:
            _settle(service, tx, outlet, delivery, result)

    service.write(note)


def _send(channel: OutgoingChannel, message: Message) -> SendResult:
    try:
        return channel.send(message)
    except Exception as error:  # a fault of the program must not stop the messages behind this one
        log.exception("a message could not be sent", extra={"id": str(message.id)})
        return ChannelOutage(f"The program failed: {type(error).__name__}.")


def _settle(
    service: Service,
    tx: Transaction,
    outlet: Outlet,
    delivery: MessageDelivery,
    result: SendResult | None,
) -> None:
    wall = service.wall()
    settlement = rules.settle(delivery, result, wall) if result else rules.end_as_moot(delivery, wall)
    if tables.save_settlement(tx, delivery, settlement) and settlement.status is MessageStatus.UNDELIVERED:
        outlet.lost(tx, delivery, settlement.fault or "")
