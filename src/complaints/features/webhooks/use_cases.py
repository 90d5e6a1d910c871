"""Subscriptions: who may make one, and what its owner does with it.

A subscription gives its owner nothing that the feed and the API do not give. So whoever may follow the feed may have
one: a caller whose scope is every complaint or a source. Managers and admins see and change the subscriptions of all.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from complaints.domain.errors import Conflict, Forbidden, InvalidContent, NotFound
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.domain.time.preview import parse_duration
from complaints.features.webhooks import planning
from complaints.features.webhooks.rules import EVERY_TYPE, DisabledReason, WebhookStatus, may_follow
from complaints.features.webhooks.schemas import OWN_FORMATS, CreateWebhook, PatchWebhook, WebhookFilter
from complaints.features.webhooks.tables import deliveries, subscriptions
from complaints.features.webhooks.tables.subscriptions import Webhook as Webhook
from complaints.outbound.signing import make_secret
from complaints.outbound.urls import refuse_unsafe_url
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.history import find_end
from complaints.use_cases.named_filters import check_member
from complaints.use_cases.service import Service, Transaction

MOST_WEBHOOKS = 1000
MOST_OF_ONE_OWNER = 50
MOST_REPLAYED = 10_000
LONGEST_OVERLAP = timedelta(days=30)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HubForm:
    """The form of the messages of a hub of TMF621, and its query as it was sent."""

    name: str
    query: str | None


def create_webhook(
    service: Service, tx: Transaction, caller: Caller, command: CreateWebhook, hub: HubForm | None = None
) -> Webhook:
    """Make a subscription to the events from now on. Raises Forbidden, InvalidContent and Conflict.

    `hub` is given for a subscription that is made at a hub: it has another form, and each of an owner is different.
    """
    caller.require(Right.CONTRIBUTE)
    if not may_follow(caller.scope):
        raise Forbidden("Webhooks are for callers whose scope is every complaint or a source.")
    _check_members(service, tx, command)
    planning.hold(tx)
    if hub is not None:
        _refuse_same_hub(tx, caller, command.url, hub)
    _refuse_too_many(tx, caller)
    webhook_id = service.new_id()
    excluded = command.exclude_actors if command.exclude_actors is not None else (caller.actor,)
    values: dict[str, Any] = {
        "id": webhook_id,
        "url": command.url,
        "event_types": list(command.event_types),
        "payload": command.payload,
        "format": command.format if hub is None else hub.name,
        "query": None if hub is None else hub.query,
        "filter": _filter_of(command.filter),
        "exclude_actors": list(excluded),
        "secret": make_secret(),
        "status": WebhookStatus.ACTIVE,
        "created_at": tx.now,
        "created_by": caller.actor,
        "owner_key": None if caller.has_session else caller.name,
        "owner_login": caller.login,
        "start_after": find_end(tx),
    }
    subscriptions.insert_webhook(tx, values)
    _note("a webhook was made", caller, webhook_id)
    return load_webhook(tx, caller, webhook_id)


def _refuse_same_hub(tx: Transaction, caller: Caller, url: str, hub: HubForm) -> None:
    """A client that subscribes again after a restart must not get each event twice."""
    for found in subscriptions.list_webhooks(tx):
        same = (found.url, found.format, found.query) == (url, hub.name, hub.query)
        if same and found.created_by == caller.actor:
            raise Conflict(f"There is a hub with this callback and query already: {found.id}.")


def _refuse_too_many(tx: Transaction, caller: Caller) -> None:
    """Nobody but a manager takes so many places that none are left for others."""
    if subscriptions.count_webhooks(tx) >= MOST_WEBHOOKS:
        raise Conflict(f"There are {MOST_WEBHOOKS} subscriptions already: delete one that is not needed.")
    owned = subscriptions.count_webhooks(tx, created_by=caller.actor)
    if owned >= MOST_OF_ONE_OWNER and not _sees_all(caller):
        raise Conflict(f"You have {MOST_OF_ONE_OWNER} subscriptions already: delete one that is not needed.")


def _note(message: str, caller: Caller, webhook_id: UUID) -> None:
    log.info(message, extra={"webhook": str(webhook_id), "caller": caller.actor})


def _check_members(service: Service, tx: Transaction, command: CreateWebhook | PatchWebhook) -> None:
    """Raise InvalidContent for a URL to which nothing may be sent, and for unknown names."""
    if command.url is not None:
        refuse_unsafe_url(command.url, service.webhook_allow)
    configuration = service.configuration(tx)
    for number, name in enumerate(command.event_types or ()):
        if name != EVERY_TYPE:
            check_member(
                name, configuration.event_types, pointer=f"/event_types/{number}", thing="type of event"
            )
    if command.filter is not None:
        asked, teams = command.filter, configuration.directory.teams
        check_member(asked.team, teams, pointer="/filter/team", thing="team")
        check_member(asked.category, configuration.categories, pointer="/filter/category", thing="category")


def _filter_of(command: WebhookFilter) -> dict[str, str | None]:
    return dict(command.model_dump(mode="json"))


def list_webhooks(tx: Transaction, caller: Caller) -> Sequence[Webhook]:
    """The subscriptions that the caller may see: its own, or all."""
    return [found for found in subscriptions.list_webhooks(tx) if _is_known(caller, found)]


def load_webhook(tx: Transaction, caller: Caller, webhook_id: UUID, *, lock: bool = False) -> Webhook:
    """One subscription that the caller may see. Raises NotFound."""
    found = subscriptions.find_webhook(tx, webhook_id, lock=lock)
    if found is None or not _is_known(caller, found):
        raise NotFound("There is no such webhook.")
    return found


def _is_known(caller: Caller, found: Webhook) -> bool:
    """A user who signed in has those of the user's keys too. A key has its own alone.

    It may have fewer rights than the others, and must not turn their messages to a URL of its own.
    """
    if _sees_all(caller):
        return True
    is_own = found.created_by == caller.actor and (caller.has_session or found.owner_key == caller.name)
    return is_own and Right.CONTRIBUTE in caller.rights


def _sees_all(caller: Caller) -> bool:
    return caller.scope_for(Right.CONFIGURE) == ALL_COMPLAINTS


def change_webhook(
    service: Service, tx: Transaction, caller: Caller, webhook_id: UUID, command: PatchWebhook
) -> Webhook:
    """Change a subscription. The changes hold for the events from now on. Raises NotFound and InvalidContent.

    What is planned is still sent, to the new URL too. A subscription that is disabled sends nothing more; one that
    becomes active again begins with the next event.
    """
    planned_until = planning.hold(tx)
    found = load_webhook(tx, caller, webhook_id, lock=True)
    _check_members(service, tx, command)
    if found.format not in OWN_FORMATS:
        _keep_form(command)
    values: dict[str, Any] = {
        name: value
        for name, value in (
            ("url", command.url),
            ("event_types", _listed(command.event_types)),
            ("payload", command.payload),
            ("format", command.format),
            ("filter", _filter_of(command.filter) if command.filter is not None else None),
            ("exclude_actors", _listed(command.exclude_actors)),
        )
        if value is not None
    }
    if values:
        subscriptions.update_webhook(
            tx, webhook_id, values | {"start_after": max(found.start_after, planned_until), "planned": 0}
        )
    if command.status is WebhookStatus.DISABLED and found.status is WebhookStatus.ACTIVE:
        planning.disable(tx, webhook_id, DisabledReason.REQUEST, service.wall())
    if command.status is WebhookStatus.ACTIVE and found.status is WebhookStatus.DISABLED:
        again = {"status": WebhookStatus.ACTIVE, "disabled_at": None, "disabled_reason": None}
        fresh = {"failing_since": None, "start_after": find_end(tx), "planned": 0}
        subscriptions.update_webhook(tx, webhook_id, again | fresh)
    _note("a webhook was changed", caller, webhook_id)
    return load_webhook(tx, caller, webhook_id)


def _keep_form(command: PatchWebhook) -> None:
    """Raise InvalidContent for another form of a hub: its receiver reads TMF621."""
    for name in ("format", "payload"):
        if getattr(command, name) is not None:
            raise InvalidContent.at(f"/{name}", "A subscription of a hub keeps its form: make another one.")


def _listed(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else list(names)


def delete_webhook(tx: Transaction, caller: Caller, webhook_id: UUID) -> None:
    """Delete a subscription with its delivery log. Raises NotFound."""
    planning.hold(tx)
    load_webhook(tx, caller, webhook_id, lock=True)
    subscriptions.delete_webhook(tx, webhook_id)
    _note("a webhook was deleted", caller, webhook_id)


def rotate_secret(
    service: Service, tx: Transaction, caller: Caller, webhook_id: UUID, *, overlap: str
) -> Webhook:
    """Give a subscription a new secret. The former one signs too until the end of `overlap`.

    Raises NotFound, and InvalidContent for an overlap that is no duration of at most 30 days.
    """
    found = load_webhook(tx, caller, webhook_id, lock=True)
    length = _read_overlap(overlap)
    former = {"previous_secret": found.secret, "previous_until": service.wall() + length}
    kept = former if length else dict.fromkeys(former)
    subscriptions.update_webhook(tx, webhook_id, {"secret": make_secret(), **kept})
    _note("the secret of a webhook was rotated", caller, webhook_id)
    return load_webhook(tx, caller, webhook_id)


def _read_overlap(text: str) -> timedelta:
    read = parse_duration(text, pointer="/overlap")
    length = timedelta(days=read.days, microseconds=read.microseconds)
    if read.months or length > LONGEST_OVERLAP:
        raise InvalidContent.at(
            "/overlap", f"An overlap lasts at most {LONGEST_OVERLAP.days} days, such as PT24H."
        )
    return length


def replay(
    service: Service, tx: Transaction, caller: Caller, webhook_id: UUID, *, first: int, last: int
) -> int:
    """Plan the events from number `first` to number `last` again, in order. Returns how many were planned.

    Only events that the subscription wants count; the planned ones are left out. Raises NotFound,
    InvalidContent for a range that is too long or ends before it begins, and Conflict for a disabled subscription.
    """
    if last < first:
        raise InvalidContent.at("/to_sequence", "to_sequence must not be less than from_sequence.")
    if last - first >= MOST_REPLAYED:
        raise InvalidContent.at(
            "/to_sequence", f"A replay has at most {MOST_REPLAYED} numbers: send the range in parts."
        )
    planning.hold(tx)
    found = load_webhook(tx, caller, webhook_id, lock=True)
    if found.status is not WebhookStatus.ACTIVE:
        raise Conflict("This webhook is disabled: set its status to active first.")
    planned = planning.plan_replay(service, tx, found, after=first - 1, up_to=last)
    _note("a replay was planned", caller, webhook_id)
    return planned


def list_attempts(
    tx: Transaction, caller: Caller, webhook_id: UUID, *, before: int | None, limit: int
) -> Sequence[Any]:
    """The attempts of a subscription with ids below `before`, latest first. Raises NotFound."""
    load_webhook(tx, caller, webhook_id)
    return deliveries.list_attempts(tx, webhook_id, before=before, limit=limit)
