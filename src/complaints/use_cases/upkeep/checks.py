"""The proof of the whole database, for `complaints check`: complaints batch by batch, and followers (rule 2.12)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from complaints.domain.complaint.numbers import number_of
from complaints.storage import months
from complaints.storage.database.migrate import find_orphans
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import audit
from complaints.storage.queries.audit import AuditBatch, EventRow, Parts
from complaints.storage.queries.audit import IdRange as IdRange
from complaints.storage.rows.event import find_last_number
from complaints.storage.rows.follower import find_cursors
from complaints.use_cases.service import Configuration, Service
from complaints.use_cases.upkeep.invariants import INVARIANTS, Case
from complaints.use_cases.upkeep.missing_references import find_missing, find_unknown_kinds
from complaints.use_cases.upkeep.violation import Violation

BATCH = 500
LATE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ProofSize:
    """How many complaints there are to check.

    `cut_off` counts the complaints that began in a month whose history was detached.
    """

    complaints: int
    cut_off: int


@dataclass(frozen=True, slots=True)
class Proof:
    """How many rows of each kind were checked."""

    complaints: int = 0
    events: int = 0
    deadlines: int = 0
    escalations: int = 0

    def __add__(self, other: "Proof") -> "Proof":
        return Proof(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, name)} {name}" for name in self.__slots__)


@dataclass(frozen=True, slots=True)
class CheckedRange:
    """The breaches in a range of complaints, ordered by the ids of complaints, and how many rows were checked.

    `up_to` is the last id of the range; None if the range is open.
    """

    up_to: UUID | None
    violations: list[Violation]
    proof: Proof


def count_to_check(service: Service) -> ProofSize:
    """Count the complaints that a check will go through."""
    return service.read(lambda tx: ProofSize(audit.count_complaints(tx), audit.count_cut_off(tx)))


def find_ranges(service: Service, after: UUID | None = None) -> list[IdRange]:
    """The ranges in which all complaints are checked, or all with ids above `after`."""
    return service.read(lambda tx: audit.find_ranges(tx, size=BATCH, after=after))


def check_range(service: Service, within: IdRange) -> CheckedRange:
    """Check the complaints of one range, each batch on a snapshot of its own."""
    batches = list(_check_batches(service, within))
    violations = [violation for batch in batches for violation in batch.violations]
    return CheckedRange(within.up_to, violations, sum((batch.proof for batch in batches), Proof()))


def _check_batches(service: Service, within: IdRange) -> Iterator[CheckedRange]:
    """Check a range in batches. The last batch has no complaint, or fewer than `BATCH`."""
    while True:
        checked = _check_batch(service.read(partial(_read_batch, service, within)))
        yield checked
        if checked.proof.complaints < BATCH:
            return
        within = within._replace(after=checked.up_to)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Complaints with everything that is stored about them. `events` and `parts` have the ids of complaints as keys."""

    complaints: AuditBatch
    events: Mapping[UUID, Sequence[EventRow]]
    parts: Mapping[UUID, Parts]
    configuration: Configuration
    horizon: int
    now: datetime


def _read_batch(service: Service, within: IdRange, tx: Transaction) -> _Batch:
    batch = audit.find_batch(tx, within, BATCH)
    events = {
        UUID(key): list(rows)
        for key, rows in groupby(audit.find_events(tx, batch.stored), attrgetter("owner_id"))
    }
    parts = audit.find_parts(tx, batch.stored)
    return _Batch(batch, events, parts, service.cache.current(tx, certain=True), months.horizon(tx), tx.now)


def _check_batch(read: _Batch) -> CheckedRange:
    """Check complaints without a transaction: PostgreSQL ends a transaction that asks nothing for five seconds."""
    batch, configuration = read.complaints, read.configuration
    found = [Violation("readable", number_of(n), "its stored data makes no sense") for n in batch.unreadable]
    for stored in batch.stored:
        complaint = stored.loaded.complaint
        number = number_of(complaint.sequence)
        missing = find_missing(complaint, configuration)
        found.extend(Violation("references hold", number, f"there is no {one}") for one in missing)
        unknown = find_unknown_kinds(complaint, configuration)
        found.extend(Violation("readable", number, message) for message in unknown)
        policy = configuration.policies.get((complaint.policy_code, complaint.policy_version))
        if policy is None:
            continue
        wake_at = complaint.wake_at
        own = read.events.get(complaint.id, [])
        case = Case(
            stored=stored,
            subject=complaint,
            history_end=stored.loaded.history_end,
            events_after=stored.loaded.events_after,
            parked_at=stored.parked_at,
            events=own,
            parts=read.parts[complaint.id],
            policy=policy,
            directory=configuration.directory,
            secret=configuration.secret,
            now_is_late=wake_at is not None and read.now - wake_at > LATE,
            cut_off=stored.loaded.events_after < read.horizon and not (own and own[0].ordinal == 1),
        )
        found.extend(Violation(name, number, message) for name, rule in INVARIANTS for message in rule(case))
    proof = Proof(
        complaints=len(batch.stored) + len(batch.unreadable),
        events=sum(map(len, read.events.values())),
        deadlines=sum(len(stored.loaded.complaint.deadlines) for stored in batch.stored),
        escalations=sum(len(one.escalations) for one in read.parts.values()),
    )
    return CheckedRange(batch.last, found, proof)


# Feed --------------------------------------------------------------------------------------------------------------


def check_feed(service: Service) -> Iterator[Violation]:
    """Gaps in the numbers of all events: events were deleted. Only SQLite gives numbers without gaps."""
    for first, last in service.read(audit.find_gaps):
        numbers = f"number {first} is" if first == last else f"numbers {first} to {last} are"
        yield Violation("feed unbroken", "", f"the {numbers} missing in the feed: events were deleted")


# References --------------------------------------------------------------------------------------------------------


def check_references(service: Service) -> Iterator[Violation]:
    """Breaches of foreign keys. Only SQLite can have them, through a program that does not enforce foreign keys."""
    orphans = service.read(lambda tx: find_orphans(tx.connection))
    for table, count in sorted(orphans.items()):
        yield Violation("references hold", "", f"{count} rows of {table} refer to a row that does not exist")


# Followers ---------------------------------------------------------------------------------------------------------


def check_followers(service: Service, annexes: Collection[str]) -> Iterator[Violation]:
    """Breaches at the followers: a cursor after the last event, or a follower of none of `annexes` (their names)."""
    yield from service.read(lambda tx: list(_check_cursors(tx, annexes)))


def _check_cursors(tx: Transaction, annexes: Collection[str]) -> Iterator[Violation]:
    # The last event may be in a detached month. All numbers of detached months are below the horizon.
    last = max(find_last_number(tx), months.horizon(tx))
    for cursor in find_cursors(tx):
        if cursor.after > last:
            message = f"follower {cursor.name} is at event {cursor.after}, but the last event is {last}"
            yield Violation("followers in history", "", message)
        if cursor.name.partition(".")[0] not in annexes:
            message = (
                f"follower {cursor.name} belongs to no registered annex, and the history is kept for it from "
                f"event {cursor.after} on; delete its row in the table follower if the annex is gone for good"
            )
            yield Violation("followers registered", "", message)
