"""The sender: leases deliveries in a short transaction, sends them outside any, and settles them in another.

A message is sent at least once. A process that is killed after a message was accepted and before that was noted sends
it again after the lease, with the same id.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from complaints.features.notifications import rules
from complaints.features.notifications.model import (
    ChannelOutage,
    Message,
    MessageChannel,
    MessageDelivery,
    MessageRefusal,
    SendResult,
)
from complaints.features.notifications.rules import Settlement
from complaints.features.notifications.tables import deliveries
from complaints.use_cases.service import Service, Transaction

log = logging.getLogger(__name__)


class OutgoingChannel(Protocol):
    """A way out of the house. It knows no table and no rule."""

    def send(self, message: Message) -> SendResult:
        """Send a message. It returns what the other side answered, within seconds, and raises nothing for that."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message and the deliveries that it settles.

    A `ChannelOutage` or `MessageRefusal` stands for a message that could not be made. None: nobody needs one any more.
    """

    deliveries: tuple[MessageDelivery, ...]
    message: Message | ChannelOutage | MessageRefusal | None


Compose = Callable[[Transaction, Sequence[MessageDelivery]], Sequence[Parcel]]
"""Makes the messages of leased deliveries, in the transaction of the lease. What stands in no parcel is given back."""
Settled = Callable[[Transaction, MessageDelivery, Settlement], None]
"""Is called for each delivery in the transaction that settles it, also if it waits for another attempt."""
Answered = Callable[[Transaction, Message, SendResult], None]
"""Is called for each message in the transaction that settles its deliveries."""


def _forget(_tx: Transaction, _message: Message, _result: SendResult) -> None:
    """Nothing follows from the answer itself."""


IsStopping = Callable[[], bool]
"""True once the process stops."""


def never() -> bool:
    """The answer of a process that does not stop."""
    return False


@dataclass(frozen=True, slots=True)
class Outlet:
    """A channel, how its messages are made, and what follows from their outcome."""

    name: MessageChannel
    channel: OutgoingChannel
    compose: Compose
    settled: Settled
    answered: Answered = _forget


def send_next(service: Service, outlet: Outlet, *, limit: int, is_stopping: IsStopping = never) -> int:
    """Send the next messages that are due on a channel, at most `limit`. Returns how many were tried.

    Once the process stops, no other message is begun: a mail server that hangs takes 30 seconds for each.
    """
    # Look first: on SQLite, a write transaction without work would stop all other writers.
    if not service.read(lambda tx: deliveries.has_due(tx, outlet.name, service.wall())):
        return 0
    begun_at = service.wall()
    parcels = service.write(lambda tx: _lease(service, tx, outlet, limit=limit))
    sent = 0
    for number, parcel in enumerate(parcels):
        if is_stopping() or service.wall() > begun_at + rules.LEASE - rules.LONGEST_SENDING:
            _give_back(service, parcels[number:])
            break
        _deliver(service, outlet, parcel)
        sent += len(parcel.deliveries)
    return sent


def _give_back(service: Service, parcels: Sequence[Parcel]) -> None:
    """Another sender, or the next round, tries these messages."""
    left = [delivery for parcel in parcels for delivery in parcel.deliveries]
    service.write(lambda tx: deliveries.release(tx, left, wall=service.wall()))


def _lease(service: Service, tx: Transaction, outlet: Outlet, *, limit: int) -> Sequence[Parcel]:
    leased = deliveries.lease(tx, outlet.name, service.wall(), limit=limit)
    parcels = outlet.compose(tx, leased)
    tried = {one.id for parcel in parcels for one in parcel.deliveries}
    left = [one for one in leased if one.id not in tried]
    deliveries.release(tx, left, wall=service.wall() + rules.PAUSE_WITHOUT_ROOM)
    return parcels


def _deliver(service: Service, outlet: Outlet, parcel: Parcel) -> None:
    message = parcel.message
    result = _send(outlet.channel, message) if isinstance(message, Message) else message

    def note(tx: Transaction) -> None:
        for delivery in parcel.deliveries:
            _settle(service, tx, outlet, delivery, result)
        if isinstance(message, Message) and result is not None:
            outlet.answered(tx, message, result)

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
    if deliveries.save_settlement(tx, delivery, settlement):
        outlet.settled(tx, delivery, settlement)
