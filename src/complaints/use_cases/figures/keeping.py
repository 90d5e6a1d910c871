"""Keeping the facts of figures: a follower of the history writes them again for every complaint that changed.

The facts of a complaint follow from its events up to the cursor, so the same events may come again without harm.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from uuid import UUID

from complaints.domain.figures.folding import FactEvent, fold_facts
from complaints.domain.vocabulary import EventType
from complaints.storage.database.bulk import PackedRows
from complaints.storage.queries import due_complaints
from complaints.storage.queries.fact_histories import find_histories
from complaints.storage.rows import figure_fact, follower
from complaints.use_cases.complaints.history import EventRecord, find_end
from complaints.use_cases.figures.repeats import find_repeats_again
from complaints.use_cases.following import follow
from complaints.use_cases.service import Service, Transaction

log = logging.getLogger(__name__)
FOLLOWER = "reports"
BATCH = 250
"""Events in a transaction. On SQLite it has the write lock: a new complaint takes 0.2 ms, and one that changed 1 ms."""
LATE_SECONDS = 1.0
_COUNTED = ("changes", "deadlines", "planned_at", "persons")
_COUNTED_TYPES = (EventType.CONTACT_RECORDED, EventType.RESULT_NOTIFIED)
_MOVED_BY = ("category", "merged_into")
Histories = Mapping[UUID, Sequence[FactEvent]]


def keep_facts(service: Service, *, limit: int = BATCH) -> int:
    """Write the facts of the complaints in the next events of the feed. Returns how many events were read."""
    return follow(service, FOLLOWER, partial(_keep, service), limit=limit)


def keep_facts_after_sweep(service: Service) -> int:
    """As `keep_facts`. While deadlines are late, it reads nothing: escalations come first, and facts lag."""
    return 0 if service.read(_is_sweep_late) else keep_facts(service)


def _is_sweep_late(tx: Transaction) -> bool:
    return due_complaints.seconds_to_next_wake(tx) < -LATE_SECONDS


def _keep(service: Service, tx: Transaction, events: Sequence[EventRecord]) -> None:
    counted = [one for one in events if one.complaint_id is not None and _is_counted(one)]
    changed = {one.complaint_id for one in counted if one.complaint_id}
    # The other events are read too: a response may change no member, and still be a contact.
    known = {one: found for one, found in _group(events).items() if one in changed}
    begun = {complaint_id for complaint_id, found in known.items() if found[0].ordinal == 1}
    older = load_histories(tx, known.keys() - begun, up_to=events[-1].sequence)
    moved = {one.complaint_id for one in counted if one.complaint_id and _moves_repeats(one)}
    repeats = find_repeats_again(tx, moved)
    _write(service, tx, {**{one: known[one] for one in begun}, **older}, repeats)


def load_histories(tx: Transaction, complaint_ids: Collection[UUID], *, up_to: int) -> Histories:
    """The histories of complaints up to a number. Those whose first events are in a detached month are left out."""
    if not complaint_ids:
        return {}
    found = find_histories(tx, complaint_ids, up_to=up_to)
    return {one: events for one, events in found.items() if events[0].ordinal == 1}


def _group(events: Iterable[EventRecord]) -> dict[UUID, list[EventRecord]]:
    found: dict[UUID, list[EventRecord]] = defaultdict(list)
    for one in events:
        if one.complaint_id is not None:
            found[one.complaint_id].append(one)
    return dict(found)


def _write(
    service: Service, tx: Transaction, histories: Histories, repeats: Mapping[UUID, UUID | None]
) -> None:
    """Write the facts of complaints. `repeats` has the complaints whose repeats were looked for again."""
    if histories:
        kept = figure_fact.find_repeats(tx, histories.keys() - repeats.keys())
        figure_fact.remove_facts(tx, histories.keys())
        known = {one: other for one, other in repeats.items() if one in histories}
        figure_fact.insert_facts(tx, [pack_histories(service, tx, histories)], {**kept, **known})
    figure_fact.set_repeats(tx, {one: other for one, other in repeats.items() if one not in histories})


def pack_histories(service: Service, tx: Transaction, histories: Histories) -> PackedRows:
    """The facts of complaints as rows. One whose history cannot be read has none, and `complaints check` names it."""
    configuration, found = service.configuration(tx), []
    for complaint_id, events in histories.items():
        try:
            found.append(fold_facts(complaint_id, events, configuration.policy))
        except Exception:  # one that fails must not stop the figures of the others
            log.exception("complaint without facts", extra={"complaint_id": str(complaint_id)})
    return figure_fact.pack_facts(tx.connection.dialect, found)


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
