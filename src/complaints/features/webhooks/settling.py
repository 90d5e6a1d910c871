"""The results of attempts: the log, the next attempt of each message, and receivers that are disabled."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from complaints.features.webhooks import planning
from complaints.features.webhooks.attempt import SendResult
from complaints.features.webhooks.messages import WebhookMessage
from complaints.features.webhooks.rules import choose_disabling, plan_retry
from complaints.features.webhooks.tables import Values, deliveries, subscriptions
from complaints.features.webhooks.tables.subscriptions import Webhook
from complaints.use_cases.service import Transaction

log = logging.getLogger(__name__)


def settle(
    tx: Transaction,
    sent: Mapping[UUID, Sequence[tuple[WebhookMessage, SendResult]]],
    lease_id: UUID,
    *,
    chance: Callable[[], float],
) -> None:
    """Write the results by subscription, and give the subscriptions back. Nothing is written for a lost lease."""
    if not sent:
        return
    leased = subscriptions.claim_leased(tx, [*sent], lease_id)
    for webhook_id in sent.keys() - leased.keys():
        log.warning("the lease of a webhook was lost", extra={"webhook": str(webhook_id)})
    results = [(webhook, *pair) for webhook_id, webhook in leased.items() for pair in sent[webhook_id]]
    results.sort(key=lambda result: result[1].delivery_id)
    deliveries.note_delivered(
        tx, [message.delivery_id for _, message, result in results if result.is_success]
    )
    attempts = []
    for webhook, message, result in results:
        if result.is_empty:
            continue  # it is settled, and there was no attempt
        again_at = None if result.is_success else _settle_failure(tx, webhook, message, result, chance)
        attempts.append(_attempt(webhook, message, result, again_at))
    deliveries.insert_attempts(tx, attempts)
    subscriptions.end_leases(tx, [*leased])
    for webhook_id, webhook in leased.items():
        _judge(tx, webhook, [result for _, result in sent[webhook_id] if result.was_sent])


def _settle_failure(
    tx: Transaction,
    webhook: Webhook,
    message: WebhookMessage,
    result: SendResult,
    chance: Callable[[], float],
) -> datetime | None:
    """Plan the next attempt, and let the later deliveries of the complaint wait for it. None: it was the last one."""
    wait = None
    if result.was_sent:
        wait = plan_retry(message.attempts + 1, retry_after=result.retry_after, chance=chance)
    at = None if wait is None else result.at + wait
    deliveries.note_not_delivered(tx, message.delivery_id, next_attempt_at=at)
    if wait is not None:
        deliveries.postpone_followers(
            tx, webhook.id, message.owner_id, after_id=message.delivery_id, until=result.at + wait
        )
        tx.hasten(planning.SENDING_LOOP, tx.now + wait)
    return at


def _attempt(
    webhook: Webhook, message: WebhookMessage, result: SendResult, again_at: datetime | None
) -> Values:
    return {
        "webhook_id": webhook.id,
        "delivery_id": message.delivery_id,
        "attempt": message.attempts + 1,
        "at": result.at,
        "status_code": result.status,
        "failure": result.failure,
        "duration_ms": result.duration_ms,
        "next_attempt_at": again_at,
    }


def _judge(tx: Transaction, webhook: Webhook, results: Sequence[SendResult]) -> None:
    """Note since when a receiver fails, and disable one that is gone or has failed for five days."""
    if not results:
        return
    failing_since = None
    if not any(result.is_success for result in results):
        failing_since = webhook.failing_since or min(result.at for result in results)
    if failing_since != webhook.failing_since:
        subscriptions.update_webhook(tx, webhook.id, {"failing_since": failing_since})
    latest = max(result.at for result in results)
    reason = choose_disabling([result.status for result in results], failing_since, latest)
    if reason is not None:
        planning.disable(tx, webhook.id, reason, latest)
