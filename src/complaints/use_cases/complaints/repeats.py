"""Earlier complaints of the same complainant: they make a complaint a repeat (rule 5.4), and a post names them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.identity import Identity, same_complainant
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.intake import NewComplaint
from complaints.domain.scope import Scope
from complaints.storage.database.look_ups import LookUp, look_up
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import person as person_rows
from complaints.storage.rows.person import EarlierComplaint

MOST_RELATED = 10


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
            earlier.category == new.category.code for earlier in self._find(new)
        )

    def list_related(self, new: NewComplaint, scope: Scope) -> tuple[EarlierComplaint | Complaint, ...]:
        """The complaints of the complainant within the window and within `scope`: at most 10, latest first."""
        found = {earlier.id: earlier for earlier in self._find(new) if scope.admits(earlier)}
        latest_first = sorted(found.values(), key=lambda one: (one.received_at, one.sequence), reverse=True)
        return tuple(latest_first[:MOST_RELATED])

    def _find(self, new: NewComplaint) -> Iterator[EarlierComplaint | Complaint]:
        since = _since(new.received_at, new.policy)
        for mark in _marks(new.identity):
            for other, earlier in self._found.get(mark, ()):
                if since <= earlier.received_at <= new.received_at and same_complainant(other, new.identity):
                    yield earlier


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
    if complaint.category is None or not any(_marks(identity)):
        return False
    since = _since(complaint.received_at, policy)
    return any(
        earlier.id != complaint.id
        and earlier.category == complaint.category
        and earlier.received_at <= complaint.received_at
        and same_complainant(other, identity)
        for other, earlier in look_up(tx, person_rows.ask_for_earlier([(identity, since)]))
    )


def _marks(identity: Identity) -> list[Any]:
    """The marks that the complainant has: account number (0), phone (1) and e-mail (2)."""
    marks = enumerate((identity.account_no, identity.phone_e164, identity.email))
    return [(place, mark) for place, mark in marks if mark]


def _since(received_at: datetime, policy: Policy) -> datetime:
    return received_at - timedelta(days=policy.priorities.repeat_window_days)
