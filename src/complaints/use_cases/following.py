"""Followers: an annex reads the history from a cursor of its own, and writes its own rows for what it read.

Nothing is written for a follower when a complaint changes. The numbers of events are in commit order
(`storage.rows.event`), so a follower that goes on after the last number it saw misses nothing.
"""

from collections.abc import Callable, Collection, Sequence

from complaints.storage.rows import event, follower
from complaints.use_cases.complaints.history import EventRecord, event_without_texts, find_end
from complaints.use_cases.service import Service, Transaction

Handle = Callable[[Transaction, Sequence[EventRecord]], None]


def follow(
    service: Service,
    name: str,
    handle: Handle,
    *,
    limit: int | Callable[[Transaction], int],
    from_now: bool = False,
) -> int:
    """Call `handle` with the next events after the follower's cursor, at most `limit`, and move the cursor.

    The rows that `handle` writes and the new cursor are committed together. Events come in commit order. If `handle`
    raises, or if the process dies, nothing is committed and the same events come again.

    Returns how many events were read. 0: there is nothing more, or another process works for this follower now.

    `name` is the name of the annex, or that name, a dot and a word if the annex has several followers. `from_now`
    counts only when the follower's row is made: it then starts after the last event. Otherwise it starts at the
    first event that the history has. Raises Unavailable, and what `handle` raises.

    A `limit` that is a function is asked while the cursor is locked. 0: nobody needs the events. Then none is read,
    and the cursor goes to the end of the history.
    """
    # Look first: on SQLite, a write transaction without work would stop all other writers.
    if not service.read(lambda tx: find_behind(tx, [name])):
        return 0
    return service.write(lambda tx: _follow(tx, name, handle, limit=limit, from_now=from_now))


def hold_follower(tx: Transaction, name: str) -> int:
    """The number of the last event that a follower handled. It handles no more until the transaction ends.

    A follower that has no row gets one, after the last event of the history.
    """
    follower.insert_follower(tx, name, after=find_end(tx))
    return follower.lock_after(tx, name)


def find_behind(tx: Transaction, names: Collection[str]) -> set[str]:
    """Those of the followers that have events to handle. A follower without a row has its row to make."""
    cursors = {one.name: one.after for one in follower.find_cursors(tx)}
    end = event.find_last_number(tx, after=max(cursors.values(), default=0))
    return {name for name in names if cursors.get(name, -1) < end}


def _follow(
    tx: Transaction,
    name: str,
    handle: Handle,
    *,
    limit: int | Callable[[Transaction], int],
    from_now: bool,
) -> int:
    if follower.find_after(tx, name) is None:
        follower.insert_follower(tx, name, after=event.find_last_number(tx) if from_now else 0)
    after = follower.claim_after(tx, name)
    if after is None:
        return 0
    most = limit if isinstance(limit, int) else limit(tx)
    if most == 0:
        follower.move_follower(tx, name, after=event.find_last_number(tx, after=after))
        return 0
    events = [event_without_texts(row) for row in event.list_changes(tx, after=after, limit=most)]
    if events:
        handle(tx, events)
        follower.move_follower(tx, name, after=events[-1].sequence)
    return len(events)
