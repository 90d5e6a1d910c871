"""The facts of all complaints, written again from the beginning of the history (rule 6.26).

The history is cut into windows. Each complaint is written once: in the window of its first event, with all events that
are known to the follower that keeps facts. Other processes read and fold the histories of a window. This one writes
their rows and moves the cursor of the rebuild in one transaction, so a rebuild can be killed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from complaints.domain.errors import Conflict
from complaints.storage.database.bulk import PackedRows
from complaints.storage.queries.fact_histories import count_events, find_begun, find_changed
from complaints.storage.rows import event, figure_fact, follower
from complaints.use_cases.figures.keeping import FOLLOWER, keep_facts, load_histories, pack_histories
from complaints.use_cases.figures.repeats import find_repeats_again
from complaints.use_cases.forks import work_in_forks
from complaints.use_cases.service import Service, Transaction

REBUILD = "reports.rebuild"
WINDOW = 2_500
"""Events in a window. On SQLite its rows are written under the write lock, which takes 30 ms."""
_AT_ONCE = 64
"""Windows that are folded before all of them are written, so that rows that wait need little memory."""


class RebuildTaken(Conflict):
    """Another process moved the cursor of the rebuild: it is at work, and this one stops."""


@dataclass(frozen=True, slots=True)
class EventWindow:
    """The events with a number above `after`, up to `up_to`."""

    after: int
    up_to: int


@dataclass(frozen=True, slots=True)
class FoldedWindow:
    """The facts of the complaints that began in a window, as rows. The window has so many `events`.

    The facts follow from the events with numbers up to `known`.
    """

    window: EventWindow
    events: int
    known: int
    rows: dict[UUID, PackedRows]


def rebuild_all(service: Service, *, processes: int = 1) -> Iterator[int]:
    """Rebuild to the end by several processes, and yield how many events each window has.

    A rebuild that was cut off goes on where it was. At the end, the follower reads what it has not read yet, so the
    facts are complete on a database that was never served. Raises RebuildTaken, and BrokenProcessPool if a process is
    killed.
    """
    while windows := service.write(partial(_plan, limit=WINDOW, most=_AT_ONCE)):
        for folded in work_in_forks(service, partial(_fold, service), windows, processes=processes):
            service.write(partial(_write, service, folded))
            service.database.give_way()
            yield folded.events
    while read := keep_facts(service, limit=WINDOW):
        service.database.give_way()
        yield read


def rebuild_facts(service: Service, *, limit: int = WINDOW) -> int:
    """Rebuild the next window of `limit` events. Returns how many it has; 0: the rebuild is over.

    Raises RebuildTaken.
    """
    windows = service.write(partial(_plan, limit=limit, most=1))
    for window in windows:
        folded = _fold(service, window)
        service.write(partial(_write, service, folded))
        return folded.events
    return 0


def _plan(tx: Transaction, *, limit: int, most: int) -> Sequence[EventWindow]:
    """The next windows, up to `most`. Without one the rebuild has reached the facts that are kept: it is forgotten."""
    last = follower.find_after(tx, FOLLOWER) or 0
    follower.insert_follower(tx, REBUILD, after=0)
    after, found = follower.find_after(tx, REBUILD) or 0, list[EventWindow]()
    while after < last and len(found) < most:
        end = event.find_number_after(tx, after, count=limit)
        window = EventWindow(after, last if end is None else min(end, last))
        found.append(window)
        after = window.up_to
    if not found:
        follower.remove_follower(tx, REBUILD)
    return found


def _fold(service: Service, window: EventWindow) -> FoldedWindow:
    return service.read(partial(_read, service, window))


def _read(service: Service, window: EventWindow, tx: Transaction) -> FoldedWindow:
    known = follower.find_after(tx, FOLLOWER) or 0
    begun = find_begun(tx, after=window.after, up_to=window.up_to)
    rows = _pack(service, tx, begun, known)
    return FoldedWindow(window, count_events(tx, after=window.after, up_to=window.up_to), known, rows)


def _pack(
    service: Service, tx: Transaction, complaint_ids: Sequence[UUID], up_to: int
) -> dict[UUID, PackedRows]:
    histories = load_histories(tx, complaint_ids, up_to=up_to)
    return {one: pack_histories(service, tx, {one: events}) for one, events in histories.items()}


def _write(service: Service, folded: FoldedWindow, tx: Transaction) -> None:
    """Write the rows of a window. Complaints that changed since they were read are read again. Raises RebuildTaken."""
    window = folded.window
    if follower.claim_after(tx, REBUILD) != window.after:
        raise RebuildTaken(
            "Another process works on the rebuild of figures and goes on with it, so this one has stopped."
        )
    known = follower.lock_after(tx, FOLLOWER)
    changed = find_changed(tx, after=folded.known, up_to=known) & folded.rows.keys()
    rows = {**folded.rows, **_pack(service, tx, [*changed], known)}
    if rows:
        # Every other complaint is written in its turn, so later ones need not be looked at.
        repeats = find_repeats_again(tx, rows.keys(), with_later=False)
        figure_fact.remove_facts(tx, rows.keys())
        figure_fact.insert_facts(tx, rows.values(), repeats)
    follower.move_follower(tx, REBUILD, after=window.up_to)
