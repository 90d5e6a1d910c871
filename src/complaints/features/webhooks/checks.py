"""What `complaints check` demands of webhooks."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from complaints.features.webhooks import planning
from complaints.features.webhooks.rules import DeliveryState, WebhookStatus
from complaints.features.webhooks.schemas import ALL_FORMATS
from complaints.features.webhooks.tables import deliveries, subscriptions
from complaints.features.webhooks.tables.subscriptions import Webhook
from complaints.storage import months
from complaints.storage.rows.follower import find_after
from complaints.use_cases.service import Service, Transaction
from complaints.use_cases.upkeep.violation import Violation

_AT_ONCE = 5000
_LEASE_GRACE = timedelta(seconds=60)


def check_deliveries(service: Service) -> Iterator[Violation]:
    """Every event after the start that a subscription wants is planned once, and first deliveries are in order.

    Team, category and priority of a complaint change, so a filter by them cannot be tried again later. For such a
    subscription the number of planned deliveries is compared.
    """
    for webhook in service.read(lambda tx: subscriptions.list_webhooks(tx, status=WebhookStatus.ACTIVE)):
        yield from _check_count(service, webhook)
        yield from _check_events(service, webhook)


def _check_count(service: Service, webhook: Webhook) -> Iterator[Violation]:
    def read(tx: Transaction) -> tuple[int, int]:
        now = subscriptions.find_webhook(tx, webhook.id)
        if now is None:
            return 0, 0
        return now.planned, deliveries.count_first_deliveries(tx, now.id, after=now.start_after)

    planned, found = service.read(read)
    if planned != found:
        yield _violation(
            "webhooks complete", webhook.id, f"{planned} deliveries were planned, {found} are there"
        )


def _check_events(service: Service, webhook: Webhook) -> Iterator[Violation]:
    settled: dict[UUID, int] = {}
    after = max(webhook.start_after, service.read(months.horizon))
    end = service.read(lambda tx: find_after(tx, planning.NAME)) or 0
    while after < end:
        up_to = min(after + _AT_ONCE, end)
        listed = partial(deliveries.list_first_deliveries, webhook_id=webhook.id, after=after, up_to=up_to)
        rows = service.read(listed)
        yield from _check_wanted(service, webhook, rows, after, up_to)
        yield from _check_order(webhook, rows, settled)
        after = up_to


def _check_wanted(
    service: Service, webhook: Webhook, rows: Sequence[Any], after: int, up_to: int
) -> Iterator[Violation]:
    if not webhook.filter.is_stable:
        return
    wanted = service.read(lambda tx: planning.find_wanted(service, tx, webhook, after=after, up_to=up_to))
    if wanted is None:
        return
    planned = {row.event_id for row in rows}
    for event_id in sorted(wanted - planned):
        yield _violation("webhooks complete", webhook.id, f"event {event_id} is not planned")
    for event_id in sorted(planned - wanted):
        yield _violation("webhooks complete", webhook.id, f"event {event_id} is planned, but not asked for")


def _check_order(webhook: Webhook, rows: Sequence[Any], settled: dict[UUID, int]) -> Iterator[Violation]:
    """`settled` has the last attempt at the latest event of each complaint so far."""
    for row in rows:
        if row.state is DeliveryState.PENDING or row.settled is None:
            continue
        if row.settled < settled.get(row.owner_id, 0):
            yield _violation(
                "webhooks in order", webhook.id, f"event {row.event_id} was delivered before an earlier one"
            )
        settled[row.owner_id] = row.settled


def check_leases(service: Service) -> Iterator[Violation]:
    """No lease stays after its end, and the sender will look at every subscription that has work."""
    before = service.wall() - _LEASE_GRACE
    for row in service.read(lambda tx: subscriptions.find_lost_leases(tx, before)):
        yield _violation("webhooks leased", row.id, f"the lease ended at {row.leased_until.isoformat()}")
    for webhook_id in service.read(subscriptions.find_stuck):
        yield _violation("webhooks leased", webhook_id, "a delivery is planned, and the sender does not know")


def check_forms(service: Service) -> Iterator[Violation]:
    """The form of each subscription is known. The database does not list them, because faces add forms."""
    for webhook in service.read(subscriptions.list_webhooks):
        if webhook.format not in ALL_FORMATS:
            yield _violation("webhooks formed", webhook.id, f"there is no form {webhook.format}")


def _violation(invariant: str, webhook_id: UUID, message: str) -> Violation:
    return Violation(invariant, f"webhook {webhook_id}", message)
