"""The only writer of planned changes, for any number of complaints at once.

Rows of one table are written by one statement. Events are written just before commit, because numbering them
makes other transactions wait (see `rows.event`). Posted complaints are written by the statement of their events.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Deadline, Escalation, Hold, Promise
from complaints.domain.complaint.history import NO_HISTORY, ChainedEvent, HistoryEnd, chain
from complaints.domain.errors import StaleVersion
from complaints.domain.vocabulary import Status
from complaints.storage.database.bulk import Inserts
from complaints.storage.database.loop_names import HASTENED_WITHIN_SECONDS, SWEEP_LOOP
from complaints.storage.database.transactions import Transaction
from complaints.storage.indexing import index_complaints, searched_texts
from complaints.storage.rows import complaint as complaint_rows
from complaints.storage.rows import contact_digest, event_text, external_id, person
from complaints.storage.rows import deadline as deadline_rows
from complaints.storage.rows import escalation as escalation_rows
from complaints.storage.rows import event as event_rows
from complaints.storage.subjects import SubjectToSave, settle_subjects, write_subjects


@dataclass(frozen=True, slots=True)
class ChangeToSave:
    """A finished change, with the end of the complaint's history before the change.

    `persons` are rows of the customers of a new complaint. `extra` are columns of a new complaint that the domain
    does not know. `words` are the digests of the words of contacts.
    """

    change: Change
    history_end: HistoryEnd = NO_HISTORY
    persons: tuple[dict[str, Any], ...] = ()
    extra: dict[str, Any] | None = None
    words: tuple[bytes, ...] = ()


def save(
    tx: Transaction,
    changes: Sequence[ChangeToSave],
    new_id: Callable[[], UUID],
    *,
    subjects: Sequence[SubjectToSave] = (),
    at_end: bool = False,
) -> list[HistoryEnd]:
    """Write changes of complaints and of other subjects together. Returns the new ends of the complaints' histories.

    New complaints may be written `at_end`: by one statement with their events, just before commit. Then nothing in
    the transaction may read them or refer to them.

    Raises StaleVersion if one of them changed after it was read. The transaction must then be rolled back.
    """
    if not at_end:
        tx.open()
    chained, ends = _chain_events(tx, changes)
    _hasten_sweep(tx, [*changes, *subjects])
    inserts = Inserts(tx)
    _write_complaints(tx, inserts, changes, ends)
    words = [(to_save.change.complaint.id, digest) for to_save in changes for digest in to_save.words]
    contact_digest.insert_digests(inserts, words)
    person.insert_persons(inserts, [row for to_save in changes for row in to_save.persons])
    _write_parts(tx, inserts, changes)
    _index(tx, inserts, changes)
    owned = [
        (to_save.change.complaint.id, event)
        for to_save, events in zip(changes, chained, strict=True)
        for event in events
    ]
    event_text.insert_texts(inserts, owned)
    others = write_subjects(tx, subjects) if subjects else []
    if at_end:
        inserts.postpone()
    else:
        inserts.write()
    _settle_escalations(tx, changes)
    if subjects:
        settle_subjects(tx, subjects)
    ordered = sorted((*owned, *others), key=lambda pair: pair[1].event.at)
    event_rows.append_events(
        tx,
        [(new_id(), owner_id, event) for owner_id, event in ordered],
        subject_ids={owner_id for owner_id, _ in others},
    )
    return ends


def _hasten_sweep(tx: Transaction, plans: Sequence[ChangeToSave | SubjectToSave]) -> None:
    """Wake the sweep of this process for a fact that is due before the sweep looks again anyway."""
    soon = tx.now + timedelta(seconds=HASTENED_WITHIN_SECONDS)
    wakes = [at for plan in plans if (at := plan.change.subject.wake_at) is not None and at < soon]
    if wakes:
        tx.hasten(SWEEP_LOOP, min(wakes))


def _chain_events(
    tx: Transaction, changes: Sequence[ChangeToSave]
) -> tuple[list[list[ChainedEvent]], list[HistoryEnd]]:
    chained, ends = [], []
    for to_save in changes:
        to_save.change.finish()
        events, end = chain(to_save.history_end, to_save.change.events, tx.new_salt)
        chained.append(events)
        ends.append(end)
    return chained, ends


def _write_complaints(
    tx: Transaction, inserts: Inserts, changes: Sequence[ChangeToSave], ends: Sequence[HistoryEnd]
) -> None:
    new: list[dict[str, Any]] = []
    changed: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for to_save, end in zip(changes, ends, strict=True):
        after, before = to_save.change.complaint, to_save.change.before
        history = {"history_count": end.count, "history_digest": end.digest}
        if before is None:
            new.append(complaint_rows.values_of(after) | history | (to_save.extra or {}))
            continue
        row = complaint_rows.changed_values(before, after) | (history if end != to_save.history_end else {})
        if row:
            key = {"key_id": after.id, "key_version": before.version}
            changed[tuple(row)].append(row | key)
        if before.tags != after.tags:
            complaint_rows.replace_tags(tx, inserts, after.id, after.tags)
    if new:
        complaint_rows.insert_rows(inserts, new)
    _write_external_ids(tx, inserts, [to_save.change for to_save in changes])
    for rows in changed.values():
        if complaint_rows.update_rows(tx, rows) != len(rows):
            raise StaleVersion("The complaint was changed by someone else at the same time: read it again.")


def _write_external_ids(tx: Transaction, inserts: Inserts, changes: Sequence[Change]) -> None:
    """Ids are taken away before others are given, so one complaint can take over the id of another."""
    given: list[tuple[UUID, str, str]] = []
    for change in changes:
        after = change.complaint.ids_by_system.items()
        before = change.before.ids_by_system.items() if change.before else ()
        external_id.delete_ids(tx, [named for named in before if named not in after])
        given += [(change.complaint.id, *named) for named in after if named not in before]
    external_id.insert_ids(inserts, given)


def _write_parts(tx: Transaction, inserts: Inserts, changes: Sequence[ChangeToSave]) -> None:
    new_deadlines: list[dict[str, Any]] = []
    changed_deadlines: list[Deadline] = []
    new_holds: list[tuple[UUID, Hold]] = []
    ended_holds: list[Hold] = []
    promises: list[Promise] = []
    escalations: list[tuple[UUID, str, Escalation]] = []
    for to_save in changes:
        after, before = to_save.change.complaint, to_save.change.before
        old_deadlines = {d.id: d for d in before.deadlines} if before else {}
        for fact in after.deadlines:
            if fact.id not in old_deadlines:
                new_deadlines.append(deadline_rows.values_of(fact) | {"complaint_id": after.id})
            elif fact is not (old := old_deadlines[fact.id]) and fact != old:
                changed_deadlines.append(fact)
        old_holds = {h.id: h for h in before.holds} if before else {}
        new_holds.extend((after.id, h) for h in after.holds if h.id not in old_holds)
        ended_holds.extend(h for h in after.holds if h.id in old_holds and h != old_holds[h.id])
        promises.extend(to_save.change.promises)
        escalations.extend((after.id, after.team, fact) for fact in to_save.change.escalations)
    deadline_rows.insert_deadlines(inserts, new_deadlines)
    deadline_rows.update_deadlines(tx, changed_deadlines)
    deadline_rows.insert_holds(inserts, new_holds)
    deadline_rows.end_holds(tx, ended_holds)
    deadline_rows.insert_promises(inserts, promises)
    escalation_rows.insert_escalations(inserts, escalations)


def _settle_escalations(tx: Transaction, changes: Sequence[ChangeToSave]) -> None:
    """Settle the steps of deadlines that were met or cancelled, and everything of complaints that ended (rule 3.8).

    What a merge settled waits again when the merge is undone.
    """
    deadlines: list[UUID] = []
    ended: list[UUID] = []
    for to_save in changes:
        if has_ended(to_save.change):
            ended.append(to_save.change.complaint.id)
            continue
        _unsettle_after_merge(tx, to_save.change)
        deadlines += find_settled_deadlines(to_save.change)
    escalation_rows.settle_escalations(tx, deadlines, ended)


def _unsettle_after_merge(tx: Transaction, change: Change) -> None:
    """Let the escalations wait again that a merge settled, if the change undoes the merge (rule 1.9)."""
    before, after = change.before, change.complaint
    if before is not None and before.status is Status.MERGED and before.ended_at and after.open:
        still_unmet = [deadline.id for deadline in after.deadlines if deadline.unmet]
        escalation_rows.unsettle_escalations(tx, after.id, since=before.ended_at, unmet=still_unmet)


def has_ended(change: Change) -> bool:
    """True if the change ends its complaint: then all its escalations are settled (rule 3.8)."""
    return change.before is not None and change.before.open and not change.complaint.open


def find_settled_deadlines(change: Change) -> list[UUID]:
    """The deadlines that the change meets or cancels, and of which steps were taken."""
    unmet = {d.id for d in change.before.deadlines if d.unmet} if change.before else set()
    return [d.id for d in change.complaint.deadlines if d.id in unmet and not d.unmet and d.steps_taken]


def _index(tx: Transaction, inserts: Inserts, changes: Sequence[ChangeToSave]) -> None:
    new = [to_save for to_save in changes if to_save.change.before is None]
    changed = [
        to_save.change.complaint
        for to_save in changes
        if (before := to_save.change.before) is not None
        and searched_texts(to_save.change.complaint) != searched_texts(before)
    ]
    persons = person.find_rows(tx, [complaint.id for complaint in changed]) if changed else {}
    persons |= {to_save.change.complaint.id: to_save.persons for to_save in new}
    index_complaints(tx, inserts, [*(to_save.change.complaint for to_save in new), *changed], persons)
