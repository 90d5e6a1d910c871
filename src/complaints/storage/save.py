"""The only writer of planned changes, for any number of complaints at once.

Rows of one table are written by one statement. Events are written just before commit, because numbering them
makes other transactions wait (see `rows.event`).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint, Deadline, Escalation, Hold, Promise
from complaints.domain.complaint.history import NO_HISTORY, ChainLink, HistoryEnd, chain
from complaints.domain.complaint.members import SEARCHED_NAMES
from complaints.domain.complaint.search_terms import index_terms
from complaints.domain.errors import StaleVersion
from complaints.storage.database.bulk import Inserts
from complaints.storage.database.loop_names import HASTENED_WITHIN_SECONDS, SWEEP_LOOP
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import complaint as complaint_rows
from complaints.storage.rows import deadline as deadline_rows
from complaints.storage.rows import escalation as escalation_rows
from complaints.storage.rows import event as event_rows
from complaints.storage.rows import person, search

_searched_texts = attrgetter(*SEARCHED_NAMES)


@dataclass(frozen=True, slots=True)
class ChangeToSave:
    """A finished change, with the end of the complaint's history before the change.

    `persons` are rows of the customers of a new complaint. `extra` are columns of a new complaint that the domain
    does not know.
    """

    change: Change
    tip: HistoryEnd = NO_HISTORY
    persons: tuple[dict[str, Any], ...] = ()
    extra: dict[str, Any] | None = None


def save(tx: Transaction, plans: Sequence[ChangeToSave], new_id: Callable[[], UUID]) -> None:
    """Write changes together.

    Raises StaleVersion if a complaint changed after it was read. The transaction must then be rolled back.
    """
    links, tips = _chained(plans)
    _hasten_sweep(tx, plans)
    inserts = Inserts(tx)
    _write_complaints(tx, inserts, plans, tips)
    person.insert_persons(inserts, [row for plan in plans for row in plan.persons])
    _write_parts(tx, inserts, plans)
    _index(tx, inserts, plans)
    inserts.write()
    ordered = sorted(
        ((plan.change.complaint.id, link) for plan, own in zip(plans, links, strict=True) for link in own),
        key=lambda pair: pair[1].event.at,
    )
    event_rows.append_events(tx, [(new_id(), complaint_id, link) for complaint_id, link in ordered])


def _hasten_sweep(tx: Transaction, plans: Sequence[ChangeToSave]) -> None:
    """Wake the sweep of this process for a complaint that is due before the sweep looks again anyway."""
    soon = tx.now + timedelta(seconds=HASTENED_WITHIN_SECONDS)
    wakes = [at for plan in plans if (at := plan.change.complaint.wake_at) is not None and at < soon]
    if wakes:
        tx.hasten(SWEEP_LOOP, min(wakes))


def _chained(plans: Sequence[ChangeToSave]) -> tuple[list[list[ChainLink]], list[HistoryEnd]]:
    links, tips = [], []
    for plan in plans:
        plan.change.finish()
        own, tip = chain(plan.tip, plan.change.events)
        links.append(own)
        tips.append(tip)
    return links, tips


def _write_complaints(
    tx: Transaction, inserts: Inserts, plans: Sequence[ChangeToSave], tips: Sequence[HistoryEnd]
) -> None:
    new: list[dict[str, Any]] = []
    changed: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for plan, tip in zip(plans, tips, strict=True):
        after, before = plan.change.complaint, plan.change.before
        history = {"history_count": tip.count, "history_digest": tip.digest}
        if before is None:
            new.append(complaint_rows.values_of(after) | history | (plan.extra or {}))
            continue
        row = _changed(before, after) | (history if tip != plan.tip else {})
        if row:
            key = {"key_id": after.id, "key_version": before.version}
            changed[tuple(row)].append(row | key)
        if before.tags != after.tags:
            complaint_rows.replace_tags(tx, inserts, after.id, after.tags)
    if new:
        complaint_rows.insert_rows(inserts, new)
    for rows in changed.values():
        if complaint_rows.update_rows(tx, rows) != len(rows):
            raise StaleVersion("The complaint was changed by someone else at the same time: read it again.")


def _changed(before: Complaint, after: Complaint) -> dict[str, Any]:
    old, new = complaint_rows.values_of(before), complaint_rows.values_of(after)
    return {name: value for name, value in new.items() if value != old[name]}


def _write_parts(tx: Transaction, inserts: Inserts, plans: Sequence[ChangeToSave]) -> None:
    added: list[dict[str, Any]] = []
    moved: list[Deadline] = []
    held: list[tuple[UUID, Hold]] = []
    ended: list[Hold] = []
    promised: list[Promise] = []
    taken: list[tuple[UUID, str, Escalation]] = []
    for plan in plans:
        after, before = plan.change.complaint, plan.change.before
        known = {d.id: d for d in before.deadlines} if before else {}
        for fact in after.deadlines:
            if fact.id not in known:
                added.append(deadline_rows.values_of(fact) | {"complaint_id": after.id})
            elif fact != known[fact.id]:
                moved.append(fact)
        lasting = {h.id: h for h in before.holds} if before else {}
        held.extend((after.id, h) for h in after.holds if h.id not in lasting)
        ended.extend(h for h in after.holds if h.id in lasting and h != lasting[h.id])
        promised.extend(plan.change.promises)
        taken.extend((after.id, after.team, fact) for fact in plan.change.escalations)
    deadline_rows.insert_deadlines(inserts, added)
    deadline_rows.update_deadlines(tx, moved)
    deadline_rows.insert_holds(inserts, held)
    deadline_rows.end_holds(tx, ended)
    deadline_rows.insert_promises(inserts, promised)
    escalation_rows.insert_escalations(inserts, taken)


def _index(tx: Transaction, inserts: Inserts, plans: Sequence[ChangeToSave]) -> None:
    indexed = []
    for plan in plans:
        after, before = plan.change.complaint, plan.change.before
        texts = _searched_texts(after)
        if before is None or texts != _searched_texts(before):
            indexed.append((after.sequence, index_terms(*(text or "" for text in texts))))
    search.index_terms(tx, inserts, indexed)
