"""Earlier complaints of the same complainant: they make a complaint a repeat (rule 5.4), and a post names them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.identity import Identity, same_complainant
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.intake import NewComplaint
from complaints.domain.scope import Scope
from complaints.storage.database.look_ups import LookUp, look_up
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import person as person_rows
from complaints.storage.rows.person import EarlierComplaint as EarlierComplaint
from complaints.use_cases.access import Caller
from complaints.use_cases.service import Service

MOST_RELATED = 10
C = TypeVar("C", bound=EarlierComplaint | Complaint)


class EarlierComplaints:
    """Complaints by each mark of their complainant, so that few are compared."""

    def __init__(self, found: Iterable[tuple[Identity, EarlierComplaint | Complaint]]) -> None:
        self._found: dict[object, list[tuple[Identity, EarlierComplaint | Complaint]]] = defaultdict(list)
        for identity, earlier in found:
            self.add(identity, earlier)

    def add(self, identity: Identity, complaint: EarlierComplaint | Complaint) -> None:
        """Add a complaint of the complainant with this identity."""
        for mark in _marks(identity):
            self._found[mark].append((identity, complaint))

    def is_repeat(self, new: NewComplaint) -> bool:
        """True if the complainant complained in the same category within the window of the policy (rule 5.4)."""
        return new.category is not None and any(
            earlier.category == new.category.code
            for earlier in self.list_of_complainant(new.identity, new.received_at, new.policy)
        )

    def list_related(self, new: NewComplaint, scope: Scope) -> tuple[EarlierComplaint | Complaint, ...]:
        """The complaints of the complainant within the window and within `scope`: at most 10, latest first."""
        return _latest(self.list_of_complainant(new.identity, new.received_at, new.policy), scope)

    def list_of_complainant(
        self, identity: Identity, received_at: datetime, policy: Policy
    ) -> Iterator[EarlierComplaint | Complaint]:
        """The complaints of a complainant within the window before `received_at`. One may come several times."""
        since = _since(received_at, policy)
        for mark in _marks(identity):
            for other, earlier in self._found.get(mark, ()):
                if since <= earlier.received_at <= received_at and same_complainant(other, identity):
                    yield earlier


def _latest(earlier: Iterable[C], scope: Scope) -> tuple[C, ...]:
    """Each complaint within `scope` once: at most 10, latest first."""
    found = {one.id: one for one in earlier if scope.admits(one)}
    latest_first = sorted(found.values(), key=lambda one: (one.received_at, one.sequence), reverse=True)
    return tuple(latest_first[:MOST_RELATED])


def list_earlier(
    service: Service, tx: Transaction, caller: Caller, complaint: Complaint
) -> tuple[EarlierComplaint | Complaint, ...]:
    """The earlier complaints of the complainant of a registered one, as `EarlierComplaints.list_related` finds them."""
    identity, policy = (
        person_rows.find_identity(tx, complaint.id),
        service.configuration(tx).policy_of(complaint),
    )
    if not any(_marks(identity)):
        return ()
    found_by_mark = look_up(
        tx, person_rows.ask_for_earlier([(identity, _since(complaint.received_at, policy))])
    )
    known = EarlierComplaints(found_by_mark)
    found = known.list_of_complainant(identity, complaint.received_at, policy)
    return _latest((one for one in found if one.id != complaint.id), caller.scope)


def ask_for_earlier(new: Iterable[NewComplaint]) -> LookUp[list[tuple[Identity, EarlierComplaint]]]:
    """The earlier complaints of the complainants of new ones.

    Rows of an import are looked up only if their priority depends on it.
    """
    asked = [(one.identity, _since(one.received_at, one.policy)) for one in new if _is_asked(one)]
    return person_rows.ask_for_earlier(asked)


def _is_asked(new: NewComplaint) -> bool:
    is_shown = new.import_id is None
    return (is_shown or (new.priority is None and new.category is not None)) and any(_marks(new.identity))


def is_repeat(tx: Transaction, complaint: Complaint, identity: Identity, policy: Policy) -> bool:
    """True if a registered complaint repeats an earlier one (rule 5.4). `identity` is its complainant's."""
    one = RegisteredComplaint(complaint.id, identity, complaint.category, complaint.received_at)
    return complaint.id in find_repeats(tx, [one], policy)


class RegisteredComplaint(NamedTuple):
    """A complaint on record, with the members by which it repeats an earlier one."""

    id: UUID
    identity: Identity
    category: str | None
    received_at: datetime


def find_repeats(tx: Transaction, registered: Iterable[RegisteredComplaint], policy: Policy) -> set[UUID]:
    """The ids of the registered complaints that repeat an earlier one within the window of `policy` (rule 5.4)."""
    asked = [one for one in registered if one.category is not None and any(_marks(one.identity))]
    if not asked:
        return set()
    look = person_rows.ask_for_earlier([(one.identity, _since(one.received_at, policy)) for one in asked])
    found = look_up(tx, look)
    known = EarlierComplaints(found)
    return {
        one.id
        for one in asked
        if any(
            earlier.id != one.id and earlier.category == one.category
            for earlier in known.list_of_complainant(one.identity, one.received_at, policy)
        )
    }


def _marks(identity: Identity) -> list[Any]:
    """The marks that the complainant has: account number (0), phone (1) and e-mail (2)."""
    marks = enumerate((identity.account_no, identity.phone_e164, identity.email))
    return [(place, mark) for place, mark in marks if mark]


def _since(received_at: datetime, policy: Policy) -> datetime:
    return received_at - timedelta(days=policy.priorities.repeat_window_days)
