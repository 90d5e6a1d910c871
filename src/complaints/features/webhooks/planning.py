"""Planning: the follower of the history writes a delivery for each event that a subscription wants."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from complaints.features.webhooks.rules import (
    DisabledReason,
    EventFacts,
    Interest,
    WebhookStatus,
    may_follow,
)
from complaints.features.webhooks.settings import WebhookSettings
from complaints.features.webhooks.tables import deliveries, subscriptions
from complaints.features.webhooks.tables.events import find_complaint_facts, find_events, find_subject_teams
from complaints.features.webhooks.tables.subscriptions import Webhook
from complaints.use_cases.access import Caller
from complaints.use_cases.accounts.sessions import find_user_caller
from complaints.use_cases.complaints.history import EventRecord
from complaints.use_cases.configuration.keys import find_key_caller
from complaints.use_cases.following import follow, hold_follower
from complaints.use_cases.service import Configuration, Service, Transaction

NAME = "webhooks"
SENDING_LOOP = f"{NAME}.send"
EVENTS_AT_ONCE = 500
DELIVERIES_AT_ONCE = 10_000
"""The deliveries that one transaction writes, about. With 1,000 subscriptions it reads ten events, and not 500."""
_PURGED_AT_ONCE = 1000
_NEVER = 2**63 - 1
log = logging.getLogger(__name__)


def plan_next(service: Service, _settings: WebhookSettings) -> int:
    """Plan deliveries for the next events of the history; how many events were read."""
    return follow(service, NAME, partial(plan_events, service), limit=_limit_events, from_now=True)


def _limit_events(tx: Transaction) -> int:
    count = subscriptions.count_active(tx)
    return min(EVENTS_AT_ONCE, max(1, DELIVERIES_AT_ONCE // count)) if count else 0


def plan_events(service: Service, tx: Transaction, events: Sequence[EventRecord]) -> None:
    """Write the deliveries of events, in the transaction that also moves the cursor."""
    webhooks = subscriptions.list_webhooks(tx, status=WebhookStatus.ACTIVE)
    owners = [(event, event.complaint_id or event.subject_id) for event in events]
    facts = _facts_of(tx, [(e.type, e.actor, e.complaint_id, e.subject_id) for e in events])
    now = service.wall()
    rows: list[dict[str, Any]] = []
    woken: dict[
        int, list[UUID]
    ] = {}  # by how many deliveries they get: few statements for many subscriptions
    for webhook in webhooks:
        interest = interest_of(service, tx, webhook)
        if interest is None:
            disable(tx, webhook.id, DisabledReason.ACCESS_LOST, now)
            continue
        own = [
            _delivery(webhook, event.sequence, event.id, owner, now)
            for (event, owner), fact in zip(owners, facts, strict=True)
            if event.sequence > webhook.start_after and interest.includes(fact)
        ]
        rows += own
        woken.setdefault(len(own), []).append(webhook.id)
    if rows:
        deliveries.insert_deliveries(tx, rows)
        for planned, ids in woken.items():
            if planned:
                subscriptions.wake_webhooks(tx, ids, now, planned=planned)
        tx.hasten(SENDING_LOOP, tx.now)


def _facts_of(
    tx: Transaction, events: Sequence[tuple[str, str, UUID | None, UUID | None]]
) -> list[EventFacts]:
    complaints = find_complaint_facts(tx, {event[2] for event in events if event[2]})
    teams = find_subject_teams(tx, {event[3] for event in events if event[3]})
    facts = []
    for kind, actor, complaint_id, subject_id in events:
        if complaint_id is not None:
            row = complaints[complaint_id]
            facts.append(
                EventFacts(kind, actor, row["team"], row["category"], row["priority"], row["source"])
            )
        else:
            facts.append(EventFacts(kind, actor, teams.get(subject_id) if subject_id else None))
    return facts


def _delivery(
    webhook: Webhook, sequence: int, event_id: UUID, owner: UUID | None, now: datetime, replay: int = 0
) -> dict[str, Any]:
    return {
        "webhook_id": webhook.id,
        "event_sequence": sequence,
        "event_id": event_id,
        "owner_id": owner,
        "replay": replay,
        "next_attempt_at": now,
    }


def owner_of(service: Service, tx: Transaction, webhook: Webhook) -> Caller | None:
    """The caller that made a subscription, with its present rights. None: it may not follow the history any more.

    The configuration of this process may be a second old and lack a new key, so None is only said by the newest one.
    """
    found = _find_owner(service.configuration(tx), webhook, tx.now)
    return found or _find_owner(service.cache.current(tx, certain=True), webhook, tx.now)


def _find_owner(configuration: Configuration, webhook: Webhook, now: datetime) -> Caller | None:
    if webhook.owner_key is not None:
        caller = find_key_caller(configuration, webhook.owner_key, now)
    else:
        caller = find_user_caller(configuration, webhook.owner_login or "")
    return caller if caller is not None and may_follow(caller.scope) else None


def interest_of(service: Service, tx: Transaction, webhook: Webhook) -> Interest | None:
    """What a subscription wants now. None: its owner has no access any more."""
    owner = owner_of(service, tx, webhook)
    if owner is None:
        return None
    return Interest(
        frozenset(webhook.event_types), webhook.filter, frozenset(webhook.exclude_actors), owner.scope
    )


def disable(tx: Transaction, webhook_id: UUID, reason: DisabledReason, now: datetime) -> None:
    """Send nothing more to a subscription. What is planned has failed; a replay sends it later."""
    values = {"status": WebhookStatus.DISABLED, "disabled_at": now, "disabled_reason": reason}
    subscriptions.update_webhook(
        tx, webhook_id, {**values, "wake_at": None, "lease_id": None, "leased_until": None}
    )
    deliveries.fail_pending(tx, webhook_id)
    if reason is not DisabledReason.REQUEST:
        log.error("a webhook was disabled", extra={"webhook": str(webhook_id), "reason": str(reason)})


def hold(tx: Transaction) -> int:
    """The number of the last event that is planned. No events are planned until the transaction ends.

    So a change of a subscription holds from one event on.
    """
    return hold_follower(tx, NAME)


def find_wanted(
    service: Service, tx: Transaction, webhook: Webhook, *, after: int, up_to: int
) -> set[UUID] | None:
    """The ids of the events in a range that a subscription wants. None: its owner has no access any more."""
    interest = interest_of(service, tx, webhook)
    if interest is None:
        return None
    return {event["id"] for event in _find_wanted(tx, interest, after=after, up_to=up_to)}


def _find_wanted(tx: Transaction, interest: Interest, *, after: int, up_to: int) -> list[Any]:
    events = find_events(tx, after=after, up_to=up_to)
    facts = _facts_of(tx, [(e["type"], e["actor"], e["complaint_id"], e["subject_id"]) for e in events])
    return [event for event, fact in zip(events, facts, strict=True) if interest.includes(fact)]


def plan_replay(service: Service, tx: Transaction, webhook: Webhook, *, after: int, up_to: int) -> int:
    """Plan the events of a range that a subscription wants, if they are not planned now; how many there are."""
    interest = interest_of(service, tx, webhook)
    if interest is None:
        return 0
    pending = deliveries.find_pending_numbers(tx, webhook.id, after=after, up_to=up_to)
    now, number = service.wall(), webhook.replays + 1
    rows = [
        _delivery(webhook, e["sequence"], e["id"], e["complaint_id"] or e["subject_id"], now, number)
        for e in _find_wanted(tx, interest, after=after, up_to=up_to)
        if e["sequence"] not in pending
    ]
    if rows:
        deliveries.insert_deliveries(tx, rows)
        subscriptions.update_webhook(tx, webhook.id, {"replays": number})
        subscriptions.wake_webhooks(tx, [webhook.id], now)
        tx.hasten(SENDING_LOOP, tx.now)
    return len(rows)


def forget_old(service: Service, settings: WebhookSettings) -> int:
    """Delete deliveries that ended long ago, a batch of each subscription; how many were deleted."""
    before = service.wall() - timedelta(days=settings.kept_days)
    webhooks = service.read(subscriptions.list_webhooks)
    # Look first: on SQLite, a write transaction without work would stop all other writers.
    with_old = [
        one.id for one in webhooks if service.read(partial(_find_old, webhook_id=one.id, before=before))
    ]
    return sum(service.write(partial(_forget, webhook_id=one, before=before)) for one in with_old)


def _find_old(tx: Transaction, *, webhook_id: UUID, before: datetime) -> Sequence[Any]:
    end = deliveries.find_end_of_old(tx, webhook_id, before)
    return deliveries.find_old(tx, webhook_id, before_number=end or _NEVER, limit=_PURGED_AT_ONCE)


def _forget(tx: Transaction, *, webhook_id: UUID, before: datetime) -> int:
    webhook = subscriptions.find_webhook(tx, webhook_id, lock=True)
    old = _find_old(tx, webhook_id=webhook_id, before=before)
    if webhook is None or not old:
        return 0
    deliveries.delete_deliveries(tx, [row.id for row in old])
    counted = sum(1 for row in old if row.replay == 0 and row.event_sequence > webhook.start_after)
    values = {
        "start_after": max(webhook.start_after, old[-1].event_sequence),
        "planned": webhook.planned - counted,
    }
    subscriptions.update_webhook(tx, webhook_id, values)
    return len(old)
