"""Keeping the facts of figures: a follower of the history writes them again for every complaint that changed.

The facts of a complaint follow from its events up to the cursor, so the same events may come again without harm.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from uuid import UUID

from complaints.domain.figures.facts import ComplaintFacts
from complaints.domain.figures.folding import fold_facts
from complaints.domain.vocabulary import EventType
from complaints.storage.queries import due_complaints
from complaints.storage.rows import event, figure_fact, follower
from complaints.use_cases.complaints.history import EventRecord, event_without_texts, find_end
from complaints.use_cases.figures.repeats import find_repeats_again
from complaints.use_cases.following import follow
from complaints.use_cases.service import Service, Transaction

log = logging.getLogger(__name__)
FOLLOWER, REBUILD = "reports", "reports.rebuild"
BATCH = 250
"""Events in a transaction. On SQLite it has the write lock: a new complaint takes 0.2 ms, and one that changed 1 ms."""
LATE_SECONDS = 1.0
_COUNTED = ("changes", "deadlines", "planned_at", "persons")
_COUNTED_TYPES = (EventType.CONTACT_RECORDED, EventType.RESULT_NOTIFIED)
_MOVED_BY = ("category", "merged_into")
Histories = dict[UUID, list[EventRecord]]


def keep_facts(service: Service, *, limit: int = BATCH) -> int:
    """Write the facts of the complaints in the next events of the feed. Returns how many events were read."""
    return follow(service, FOLLOWER, partial(_keep, service), limit=limit)


def keep_facts_after_sweep(service: Service) -> int:
    """As `keep_facts`. While deadlines are late, it reads nothing: escalations come first, and facts lag."""
    return 0 if service.read(_is_sweep_late) else keep_facts(service)


def _is_sweep_late(tx: Transaction) -> bool:
    return due_complaints.seconds_to_next_wake(tx) < -LATE_SECONDS


def rebuild_facts(service: Service, *, limit: int = BATCH) -> int:
    """Write the facts of the next complaints again, from the beginning of the history. Returns how many events it read.

    0: the rebuild is over, or another process works on it. One that was cut off goes on where it was.
    """
    read = follow(service, REBUILD, partial(_rebuild, service), limit=limit)
    if not service.read(_is_rebuilt):
        return read
    service.write(lambda tx: follower.remove_follower(tx, REBUILD))
    return 0


def _is_rebuilt(tx: Transaction) -> bool:
    """True if the rebuild has reached the facts that are kept."""
    after = follower.find_after(tx, REBUILD)
    return after is not None and after >= (follower.find_after(tx, FOLLOWER) or 0)


def _keep(service: Service, tx: Transaction, events: Sequence[EventRecord]) -> None:
    counted = [one for one in events if one.complaint_id is not None and _is_counted(one)]
    changed = {one.complaint_id for one in counted if one.complaint_id}
    # The other events are read too: a response may change no member, and still be a contact.
    known = {one: found for one, found in _group(events).items() if one in changed}
    begun = {complaint_id for complaint_id, found in known.items() if found[0].ordinal == 1}
    older = load_histories(tx, known.keys() - begun, up_to=events[-1].sequence)
    moved = {one.complaint_id for one in counted if one.complaint_id and _moves_repeats(one)}
    repeats = find_repeats_again(tx, moved)
    _write(service, tx, {one: known[one] for one in begun} | older, repeats)


def _rebuild(service: Service, tx: Transaction, events: Sequence[EventRecord]) -> None:
    """Each complaint is written once: at its first event, with all events that are known to the other follower."""
    begun = [one.complaint_id for one in events if one.complaint_id is not None and one.ordinal == 1]
    follower.insert_follower(tx, FOLLOWER, after=0)
    up_to = follower.lock_after(tx, FOLLOWER)
    histories = load_histories(tx, begun, up_to=up_to)
    # Every other complaint is written in its turn, so later ones need not be looked at.
    _write(service, tx, histories, find_repeats_again(tx, histories, with_later=False))


def load_histories(tx: Transaction, complaint_ids: Collection[UUID], *, up_to: int) -> Histories:
    """The histories of complaints up to a number. Those whose first events are in a detached month are left out."""
    if not complaint_ids:
        return {}
    found = _group(map(event_without_texts, event.list_histories(tx, complaint_ids, up_to=up_to)))
    return {one: events for one, events in found.items() if events[0].ordinal == 1}


def _group(events: Iterable[EventRecord]) -> Histories:
    found: Histories = defaultdict(list)
    for one in events:
        if one.complaint_id is not None:
            found[one.complaint_id].append(one)
    return dict(found)


def _write(
    service: Service,
    tx: Transaction,
    histories: Mapping[UUID, Sequence[EventRecord]],
    repeats: Mapping[UUID, UUID | None],
) -> None:
    """Write the facts of complaints. `repeats` has the complaints whose repeats were looked for again."""
    if histories:
        kept = figure_fact.find_repeats(tx, histories.keys() - repeats.keys())
        figure_fact.remove_facts(tx, histories.keys())
        figure_fact.insert_facts(tx, _fold(service, tx, histories), {**kept, **repeats})
    figure_fact.set_repeats(tx, {one: other for one, other in repeats.items() if one not in histories})


def _fold(
    service: Service, tx: Transaction, histories: Mapping[UUID, Sequence[EventRecord]]
) -> list[ComplaintFacts]:
    """The facts of complaints. One whose history cannot be read has none, and `complaints check` names it."""
    configuration, found = service.configuration(tx), []
    for complaint_id, events in histories.items():
        try:
            found.append(fold_facts(complaint_id, events, configuration.policy))
        except Exception:  # one that fails must not stop the figures of the others
            log.exception("complaint without facts", extra={"complaint_id": str(complaint_id)})
    return found


def count_waiting(tx: Transaction) -> int:
    """How many events of the history are not counted yet."""
    after = follower.find_after(tx, FOLLOWER) or 0
    return find_end(tx, after=after) - after


def _is_counted(one: EventRecord) -> bool:
    return one.type in _COUNTED_TYPES or any(name in one.data for name in _COUNTED)


def _moves_repeats(one: EventRecord) -> bool:
    """True if the event may make the complaint a repeat, or take that back: its receipt, category or complainant."""
    changes = one.data.get("changes", {})
    return one.ordinal == 1 or "persons" in one.data or any(name in changes for name in _MOVED_BY)
