"""The feed of changes: every event of all complaints, in commit order, followed by number."""

from collections.abc import Sequence

from complaints.handling.access import Caller
from complaints.handling.timeline import Happening, happening_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import event


def changes(tx: Transaction, caller: Caller, *, after: int, limit: int) -> tuple[Sequence[Happening], int]:
    """Up to `limit` events after number `after` that the caller may know of, and the number to go on from.

    Everything up to the last number this snapshot sees is committed (`storage.rows.event`), so the reader may go
    on from there, also where none of it was for their eyes.
    """
    rows = event.changes(tx, after=after, limit=limit, only_source=caller.only_source)
    seen = rows[-1]["sequence"] if len(rows) == limit else event.last_sequence(tx, after=after)
    return [happening_of(row) for row in rows], seen
