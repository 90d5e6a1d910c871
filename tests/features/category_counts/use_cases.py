"""Counting, from the history; and what the routes and `complaints check` ask for."""

from collections.abc import Iterator, Sequence

from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.history import EventRecord
from complaints.use_cases.following import follow
from complaints.use_cases.service import Service, Transaction
from complaints.use_cases.upkeep.violation import Violation
from tests.features.category_counts import tables
from tests.features.category_counts.rules import CountsFrozen, count_received

NAME = "category_counts"


def count_next(service: Service, *, limit: int) -> int:
    """Count the next events of the history; how many were read."""
    return follow(service, NAME, count_events, limit=limit)


def count_events(tx: Transaction, events: Sequence[EventRecord]) -> None:
    """Count events, in the transaction that also moves the cursor."""
    tables.add_events(tx, [event.id for event in events])
    tables.add_counts(tx, count_received(events))


def reset_counts(tx: Transaction, caller: Caller, *, frozen: bool) -> None:
    """Forget the counts. Raises CountsFrozen."""
    caller.require(Right.CONFIGURE)
    if frozen:
        raise CountsFrozen("The counts are frozen by COMPLAINTS_CATEGORY_COUNTS_FROZEN.")
    tables.delete_counts(tx)


def check_counts(service: Service) -> Iterator[Violation]:
    """No count is below 1."""
    for category, count in service.read(tables.find_counts).items():
        if count < 1:
            yield Violation("counts positive", "", f"category {category} has the count {count}")
