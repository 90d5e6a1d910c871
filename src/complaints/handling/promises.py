"""The promises of one complaint, with their clocks as they stand now."""

from collections.abc import Sequence

from complaints.domain.complaint.facts import Deadline, Promise
from complaints.domain.rules.deadlines import as_of
from complaints.domain.vocabulary import DeadlineKind
from complaints.handling.access import Caller
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.deadline import find_promises


def list_promises(tx: Transaction, caller: Caller, reference: str) -> Sequence[tuple[Deadline, Promise]]:
    """Every promise, in the order they were made. Raises NotFound."""
    complaint = load.load_complaint(tx, reference, only_source=caller.only_source).complaint
    clocks = {d.id: as_of(d, tx.now) for d in complaint.deadlines if d.kind is DeadlineKind.PROMISE}
    texts = find_promises(tx, clocks.keys())
    return [(clocks[promise_id], texts[promise_id]) for promise_id in clocks]
