"""Repeats as figures count them: by receipt, whatever the order in which complaints were recorded (rule 6.6)."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from operator import attrgetter
from uuid import UUID

from complaints.domain.complaint.identity import Identity, same_complainant
from complaints.storage.database.look_ups import look_up
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import figure_fact, person
from complaints.storage.rows.person import EarlierComplaint, ReceivedComplaint

WINDOW = timedelta(days=30)


def find_repeats_again(tx: Transaction, complaint_ids: Collection[UUID]) -> dict[UUID, UUID | None]:
    """The earlier complaint that each of these complaints repeats, the latest one; None: it repeats none.

    Complaints that these may have made repeats are looked at too, and so are those that repeated them before.
    """
    if not complaint_ids:
        return {}
    moved = person.find_received(tx, complaint_ids)
    near = _Near(tx, moved)
    later = {other.id for one in moved for other in near.find(one) if _repeats(other, one)}
    later = (later | figure_fact.find_repeating(tx, complaint_ids)) - set(complaint_ids)
    others = person.find_received(tx, later) if later else []
    near_others = _Near(tx, others)
    return {
        **{one.id: _find_latest(one, near.find(one)) for one in moved},
        **{one.id: _find_latest(one, near_others.find(one)) for one in others},
    }


class _Near:
    """Complaints by each mark of their complainant, in the order of their receipt, so that few are compared."""

    def __init__(self, tx: Transaction, asked: Sequence[ReceivedComplaint]) -> None:
        since: dict[Identity, datetime] = {}
        for one in asked:
            if one.marks:
                begin = one.received_at - WINDOW
                since[one.identity] = min(begin, since.get(one.identity, begin))
        known = {other.id: _received(identity, other) for identity, other in _look_up(tx, since)}
        self._found: dict[object, list[ReceivedComplaint]] = defaultdict(list)
        for other in sorted(known.values(), key=_place):
            for mark in other.marks:
                self._found[mark].append(other)

    def find(self, one: ReceivedComplaint) -> Iterator[ReceivedComplaint]:
        """The complaints of the complainant of `one` within the window before and after it."""
        for mark in one.marks:
            others = self._found.get(mark, [])
            first = bisect_left(others, one.received_at - WINDOW, key=_received_at)
            end = bisect_right(others, one.received_at + WINDOW, key=_received_at)
            for other in islice(others, first, end):
                if other.category == one.category and same_complainant(other.identity, one.identity):
                    yield other


_place, _received_at = attrgetter("place"), attrgetter("received_at")


def _look_up(
    tx: Transaction, since: Mapping[Identity, datetime]
) -> Sequence[tuple[Identity, EarlierComplaint]]:
    return look_up(tx, person.ask_for_earlier([*since.items()]))


def _received(identity: Identity, one: EarlierComplaint) -> ReceivedComplaint:
    return ReceivedComplaint(one.id, one.sequence, one.received_at, one.category, None, identity)


def _repeats(one: ReceivedComplaint, earlier: ReceivedComplaint) -> bool:
    """True if `one`, of the same complainant, repeats `earlier`. A merged complaint takes no part."""
    if earlier.merged_into or one.merged_into or one.category is None or one.category != earlier.category:
        return False
    return earlier.place < one.place and one.received_at - earlier.received_at <= WINDOW


def _find_latest(one: ReceivedComplaint, others: Iterable[ReceivedComplaint]) -> UUID | None:
    repeated = [other for other in others if _repeats(one, other)]
    return max(repeated, key=lambda other: other.place).id if repeated else None
