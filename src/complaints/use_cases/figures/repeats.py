"""Repeats as figures count them: by receipt, whatever the order in which complaints were recorded (rule 6.6)."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice, product
from operator import attrgetter
from uuid import UUID

from complaints.domain.complaint.identity import Identity, same_complainant
from complaints.storage.database.look_ups import look_up
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import figure_fact, person
from complaints.storage.rows.person import EarlierComplaint, ReceivedComplaint

WINDOW = timedelta(days=30)


def find_repeats_again(
    tx: Transaction, complaint_ids: Collection[UUID], *, with_later: bool = True
) -> dict[UUID, UUID | None]:
    """The earlier complaint that each of these complaints repeats, the latest one; None: it repeats none.

    With `with_later`, complaints that these may have made repeats are looked at too, and so are those that repeated
    them before.
    """
    if not complaint_ids:
        return {}
    moved = person.find_received(tx, complaint_ids)
    near = _Near(tx, moved)
    found = {one.id: near.find_repeated(one) for one in moved}
    if not with_later:
        return found
    later = {other.id for one in moved for other in near.list_later(one)}
    later = (later | figure_fact.find_repeating(tx, complaint_ids)) - set(complaint_ids)
    others = person.find_received(tx, later) if later else []
    near_others = _Near(tx, others)
    return {**found, **{one.id: near_others.find_repeated(one) for one in others}}


class _Near:
    """Complaints by category and mark of their complainant, in the order of their receipt, so that few are compared.

    A mark decides only if no stronger one does. So complaints with one e-mail address and many account numbers, as an
    agency has them, are not compared with each other.
    """

    def __init__(self, tx: Transaction, asked: Sequence[ReceivedComplaint]) -> None:
        since: dict[Identity, datetime] = {}
        for one in asked:
            if one.marks and one.category is not None:
                begin = one.received_at - WINDOW
                since[one.identity] = min(begin, since.get(one.identity, begin))
        known = {other.id: _received(identity, other) for identity, other in _look_up(tx, since)}
        self._found: dict[object, list[ReceivedComplaint]] = defaultdict(list)
        for other in sorted(known.values(), key=_place):
            for mark in other.marks:
                self._found[other.category, mark, _strength(other.identity)].append(other)

    def find_repeated(self, one: ReceivedComplaint) -> UUID | None:
        """The latest complaint that `one` repeats."""
        found: list[ReceivedComplaint] = []
        for others in self._lists(one):
            first = bisect_left(others, one.received_at - WINDOW, key=_received_at)
            end = bisect_left(others, one.place, key=_place)
            earlier = (others[n] for n in range(end - 1, first - 1, -1))
            found += islice((other for other in earlier if _same(other, one)), 1)
        return max(found, key=_place).id if found else None

    def list_later(self, one: ReceivedComplaint) -> Iterator[ReceivedComplaint]:
        """The complaints that repeat `one`."""
        for others in self._lists(one):
            first = bisect_right(others, one.place, key=_place)
            end = bisect_right(others, one.received_at + WINDOW, key=_received_at)
            yield from (other for other in islice(others, first, end) if _same(other, one))

    def _lists(self, one: ReceivedComplaint) -> Iterator[list[ReceivedComplaint]]:
        """The complaints with a mark of `one` that may decide. A merged complaint takes no part."""
        if one.merged_into is not None or one.category is None:
            return
        has_account, has_phone = _strength(one.identity)
        for mark in one.marks:
            for strength in product((True, False), repeat=2):
                both_have = (has_account and strength[0], has_phone and strength[1])
                if not any(both_have[: _RANKS[mark[0]]]):
                    yield self._found.get((one.category, mark, strength), [])


_RANKS = {"account": 0, "phone": 1, "email": 2}


def _strength(identity: Identity) -> tuple[bool, bool]:
    """Which of the stronger marks an identity has: account number, phone."""
    return bool(identity.account_no), bool(identity.phone_e164)


def _same(other: ReceivedComplaint, one: ReceivedComplaint) -> bool:
    return other.id != one.id and same_complainant(other.identity, one.identity)


_place, _received_at = attrgetter("place"), attrgetter("received_at")


def _look_up(
    tx: Transaction, since: Mapping[Identity, datetime]
) -> Sequence[tuple[Identity, EarlierComplaint]]:
    return look_up(tx, person.ask_for_earlier([*since.items()]))


def _received(identity: Identity, one: EarlierComplaint) -> ReceivedComplaint:
    return ReceivedComplaint(one.id, one.sequence, one.received_at, one.category, None, identity)
