"""What callers read of complaints: one, or those that fit a question."""

from complaints.handling.access import Caller
from complaints.handling.engine import Engine
from complaints.handling.views import ComplaintView, view_one
from complaints.storage import aggregate
from complaints.storage.unit_of_work import Transaction


def load_view(engine: Engine, tx: Transaction, caller: Caller, reference: str) -> ComplaintView:
    """One complaint by id or number. Raises NotFound, also for one the caller may not know of."""
    loaded = aggregate.load_complaint(tx, reference, only_source=caller.only_source)
    return view_one(engine, tx, caller, loaded.complaint)
