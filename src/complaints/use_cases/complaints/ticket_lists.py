"""Lists of complaints as trouble tickets: pages and exact counts within the scope of the caller."""

import time
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from threading import Lock

from complaints.domain.vocabulary import Status
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.ticket_comparisons import CompareBy as CompareBy
from complaints.storage.queries.ticket_comparisons import TicketComparison as TicketComparison
from complaints.storage.queries.ticket_conditions import TicketSight
from complaints.storage.queries.ticket_conditions import WordTable as WordTable
from complaints.storage.queries.ticket_pages import TicketFilters as TicketFilters
from complaints.storage.queries.ticket_pages import TicketOrder as TicketOrder
from complaints.storage.queries.ticket_pages import TicketPosition as TicketPosition
from complaints.storage.queries.ticket_pages import count_tickets, find_ticket_rows, select_tickets
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.listed import show_rows
from complaints.use_cases.complaints.views import ComplaintParts
from complaints.use_cases.service import Service

COUNTED_EXACTLY = 1_000
"""Counts up to this number are of the same snapshot as the page."""
KEPT_SECONDS = 10.0
"""A larger count is at most this old."""
_MOST_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class WordTables:
    """The words for severities, priorities and types of tickets."""

    severities: WordTable
    priorities: WordTable
    types: WordTable


@dataclass(frozen=True, slots=True)
class TicketQuestion:
    """The tickets that a caller asks for, as in `TicketFilters`. `reveals` are the rights that the answer needs."""

    statuses: tuple[Status, ...] | None = None
    is_pending: bool | None = None
    comparisons: tuple[TicketComparison, ...] = ()
    reveals: frozenset[Right] = frozenset()


@dataclass(frozen=True, slots=True)
class TicketPage:
    """Complaints of a page as the caller sees them, with their places. `has_more` as in `TicketRows`.

    `total` is the number of all tickets that fit. Above `COUNTED_EXACTLY` it may be `KEPT_SECONDS` old.
    """

    complaints: list[ComplaintParts]
    places: Sequence[TicketPosition]
    has_more: bool
    total: int


@dataclass(slots=True)
class KeptCounts:
    """The large counts of the last `seconds`, for all threads of one process. They take long on large lists."""

    seconds: float = KEPT_SECONDS
    _counts: dict[Hashable, tuple[float, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def find(self, key: Hashable) -> int | None:
        """The count with this key; None: there is none, or it is too old."""
        with self._lock:
            counted_at, count = self._counts.get(key, (0.0, -1))
        return count if count >= 0 and time.monotonic() - counted_at < self.seconds else None

    def keep(self, key: Hashable, count: int) -> None:
        """Keep a count. The oldest one goes if there are too many."""
        with self._lock:
            self._counts.pop(key, None)
            self._counts[key] = (time.monotonic(), count)
            while len(self._counts) > _MOST_KEPT:
                del self._counts[next(iter(self._counts))]


def filter_tickets(caller: Caller, asked: TicketQuestion, words: WordTables) -> TicketFilters:
    """The filters for the storage, within the scope of the caller. Raises Forbidden without a needed right.

    A filter by personal data, or by attributes, finds only complaints whose data the caller may see.
    """
    for right in sorted(asked.reveals):
        caller.require(right)
    return TicketFilters(
        scope=caller.scope_for(_strongest(asked.reveals)),
        sight=_sight(caller),
        statuses=asked.statuses,
        is_pending=asked.is_pending,
        comparisons=asked.comparisons,
        severities=words.severities,
        priorities=words.priorities,
        types=words.types,
    )


def _strongest(reveals: Collection[Right]) -> Right:
    """Each role that reads attributes sees persons too."""
    if Right.SEE_INTERNAL in reveals:
        return Right.SEE_INTERNAL
    return Right.SEE_PERSONS if Right.SEE_PERSONS in reveals else Right.READ_OWN


def _sight(caller: Caller) -> TicketSight:
    if caller.has_right_everywhere(Right.SEE_INTERNAL):
        return TicketSight()
    login = caller.login if caller.may_have_part(Right.SEE_INTERNAL) else None
    return TicketSight(caller.scope_for(Right.SEE_INTERNAL), login)


def list_tickets(
    service: Service,
    tx: Transaction,
    caller: Caller,
    filters: TicketFilters,
    order: Sequence[TicketOrder],
    kept: KeptCounts,
    *,
    place: TicketPosition | None = None,
    backwards: bool = False,
    offset: int = 0,
    limit: int,
) -> TicketPage:
    """A page of tickets, after or before a place, or from a number on. The number of statements is fixed."""
    tickets = select_tickets(tx, filters)
    found = find_ticket_rows(tx, tickets, order, place=place, backwards=backwards, offset=offset, limit=limit)
    total = kept.find(filters.key)
    if total is None:
        total = count_tickets(tx, tickets, most=COUNTED_EXACTLY + 1)
        if total > COUNTED_EXACTLY:
            total = count_tickets(tx, tickets, most=None)
            kept.keep(filters.key, total)
    return TicketPage(show_rows(service, tx, caller, found.rows), found.places, found.has_more, total)
