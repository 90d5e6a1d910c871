"""From leased deliveries to messages: each audience has its own way."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from complaints.features.notifications.model import Audience, MessageDelivery
from complaints.features.notifications.sending import Compose, Parcel
from complaints.use_cases.service import Service, Transaction

ComposeFor = Callable[[Service, Transaction, Sequence[MessageDelivery]], Sequence[Parcel]]

COMPOSERS: Mapping[Audience, ComposeFor] = {}
"""How messages are made, by audience."""


def compose_by_audience(service: Service) -> Compose:
    """The function that makes the messages of leased deliveries, each by the way of its audience."""
    return partial(_compose, service)


def _compose(service: Service, tx: Transaction, leased: Sequence[MessageDelivery]) -> Sequence[Parcel]:
    return [
        parcel
        for audience, compose in COMPOSERS.items()
        if (own := [one for one in leased if one.audience is audience])
        for parcel in compose(service, tx, own)
    ]
