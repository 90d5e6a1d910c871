"""When a delivery is tried again, which events a subscription wants, and when a subscription is disabled. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from complaints.domain.scope import Scope, ScopeKind

EVERY_TYPE = "*"
DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""The waiting time before each attempt. After the last attempt a delivery has failed."""

JITTER = 0.1
"""A waiting time is longer by up to this part of it, so that many deliveries do not come back at one instant."""

LONGEST_WAIT = timedelta(hours=24)
LONGEST_FAILURE = timedelta(days=5)
GONE = 410


class DeliveryState(StrEnum):
    """`pending`: an attempt is planned. `failed`: the last attempt failed, and nothing more is planned."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookStatus(StrEnum):
    """Nothing is sent to a subscription that is disabled."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DisabledReason(StrEnum):
    """Why a subscription is disabled. All but `request` are alerts for the operator."""

    REQUEST = "request"  # a caller disabled it
    GONE = "gone"  # the receiver answered 410
    FAILING = "failing"  # no delivery succeeded for five days
    ACCESS_LOST = "access_lost"  # the key or the user that made it has no access any more


@dataclass(frozen=True, slots=True)
class EventFilter:
    """The facts that an event's complaint must have. None asks nothing. A category includes those below it."""

    team: str | None = None
    category: str | None = None
    priority: str | None = None
    source: str | None = None

    @property
    def is_stable(self) -> bool:
        """True if later changes of a complaint never change the result of the filter."""
        return self.team is None and self.category is None and self.priority is None


@dataclass(frozen=True, slots=True)
class EventFacts:
    """The facts of an event by which subscriptions choose. Only complaints have a source, category and priority."""

    type: str
    actor: str
    team: str | None = None
    category: str | None = None
    priority: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Interest:
    """What a subscription wants to have. `scope` is that of its owner: everything, or sources."""

    types: Collection[str]
    filter: EventFilter
    exclude_actors: Collection[str]
    scope: Scope

    def includes(self, event: EventFacts) -> bool:
        """True if the subscription wants this event."""
        if EVERY_TYPE not in self.types and event.type not in self.types:
            return False
        if event.actor in self.exclude_actors:
            return False
        if self.scope.kind is ScopeKind.SOURCES and event.source not in self.scope.names:
            return False
        asked = self.filter
        return (
            asked.team in (None, event.team)
            and asked.priority in (None, event.priority)
            and asked.source in (None, event.source)
            and (asked.category is None or _is_below(event.category, asked.category))
        )


def _is_below(category: str | None, top: str) -> bool:
    return category is not None and (category == top or category.startswith(f"{top}."))


def may_follow(scope: Scope) -> bool:
    """True for a caller whose scope is every complaint or a source: others may not follow the history (rule 7.7)."""
    return scope.kind in (ScopeKind.ALL, ScopeKind.SOURCES) and (
        scope.kind is ScopeKind.ALL or bool(scope.names)
    )


MOST_AT_ONE_RECEIVER = 8
QUICK_SECONDS = 2.0
"""A receiver that answers more slowly than this gets one message at a time."""

WAIT_FOR_A_THREAD_MS = 5


def choose_width(width: int, durations: Sequence[int]) -> int:
    """How many messages a receiver gets at a time after `width` at a time took these milliseconds each.

    More threads help only while they wait. A receiver that answers at once gets one message at a time: several
    threads would take the interpreter from each other, and deliver less.
    """
    if not durations or max(durations) >= QUICK_SECONDS * 1000:
        return 1
    useful = int(sum(durations) / len(durations)) // WAIT_FOR_A_THREAD_MS
    return max(1, min(width * 2, useful, MOST_AT_ONE_RECEIVER))


def plan_retry(
    attempts: int, *, retry_after: timedelta | None, chance: Callable[[], float]
) -> timedelta | None:
    """The waiting time after failed attempt number `attempts`. None: that was the last one.

    `retry_after` is the receiver's wish: it can make the time longer, up to a day. `chance` gives a number from 0 to 1.
    """
    if attempts >= len(DELAYS):
        return None
    delay = DELAYS[attempts]
    if retry_after is not None:
        delay = max(delay, min(retry_after, LONGEST_WAIT))
    return delay * (1 + JITTER * chance())


def read_retry_after(header: str | None, now: datetime) -> timedelta | None:
    """The waiting time in a header `Retry-After`: seconds or a date (RFC 9110, section 10.2.3). None: not readable."""
    if header is None:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        return timedelta(seconds=min(int(header.strip()[:9]), LONGEST_WAIT.total_seconds()))
    try:
        at = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(at - now, timedelta(0))


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """A planned delivery. `id` gives the order; `owner_id` is the complaint or other subject of the event."""

    id: int
    owner_id: object
    next_attempt_at: datetime


def choose_next(
    pending: Iterable[PendingDelivery], now: datetime
) -> tuple[Sequence[int], Mapping[int, datetime]]:
    """The deliveries to send now, in order, and those that must wait for an earlier one, with its time.

    `pending` has every pending delivery of its complaints up to its highest id. A delivery that is not due stops the
    later ones of the same complaint: so the order holds for each complaint.
    """
    chosen: list[int] = []
    waiting: dict[int, datetime] = {}
    stopped: dict[object, datetime] = {}
    for delivery in sorted(pending, key=lambda one: one.id):
        if (until := stopped.get(delivery.owner_id)) is not None:
            if delivery.next_attempt_at < until:
                waiting[delivery.id] = until
        elif delivery.next_attempt_at > now:
            stopped[delivery.owner_id] = delivery.next_attempt_at
        else:
            chosen.append(delivery.id)
    return chosen, waiting


def choose_disabling(
    statuses: Collection[int | None], failing_since: datetime | None, now: datetime
) -> DisabledReason | None:
    """The reason to disable a subscription after attempts with these status codes. None: it stays active."""
    if GONE in statuses:
        return DisabledReason.GONE
    if failing_since is not None and now - failing_since >= LONGEST_FAILURE:
        return DisabledReason.FAILING
    return None
