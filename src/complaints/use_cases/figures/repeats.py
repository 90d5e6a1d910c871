"""Repeats as figures count them: by receipt, whatever the order in which complaints were recorded (rule 6.6)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from complaints.domain.complaint.identity import same_complainant
from complaints.storage.database.look_ups import look_up
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import figure_fact, person
from complaints.storage.rows.person import ReceivedComplaint

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
    """Complaints by each mark of their complainant, so that few are compared."""

    def __init__(self, tx: Transaction, asked: Sequence[ReceivedComplaint]) -> None:
        since = [(one.identity, one.received_at - WINDOW) for one in asked if any(one.marks)]
        self._found: dict[object, list[ReceivedComplaint]] = defaultdict(list)
        for identity, other in look_up(tx, person.ask_for_earlier(since)):
            known = ReceivedComplaint(
                other.id, other.sequence, other.received_at, other.category, None, identity
            )
            for mark in known.marks:
                self._found[mark].append(known)

    def find(self, one: ReceivedComplaint) -> Iterable[ReceivedComplaint]:
        """The complaints of the complainant of `one`."""
        for mark in one.marks:
            for other in self._found.get(mark, ()):
                if other.id != one.id and same_complainant(other.identity, one.identity):
                    yield other


def _repeats(one: ReceivedComplaint, earlier: ReceivedComplaint) -> bool:
    """True if `one`, of the same complainant, repeats `earlier`. A merged complaint takes no part."""
    if earlier.merged_into or one.merged_into or one.category is None or one.category != earlier.category:
        return False
    return earlier.place < one.place and one.received_at - earlier.received_at <= WINDOW


def _find_latest(one: ReceivedComplaint, others: Iterable[ReceivedComplaint]) -> UUID | None:
    repeated = [other for other in others if _repeats(one, other)]
    return max(repeated, key=lambda other: other.place).id if repeated else None
