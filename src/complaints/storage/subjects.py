"""Reads subjects that are no complaints, and writes their part of a save (`storage.save` writes the whole)."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain as join
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement

from complaints.domain.complaint.change import SubjectChange
from complaints.domain.complaint.facts import Deadline
from complaints.domain.complaint.history import NO_HISTORY, ChainedEvent, HistoryEnd, chain
from complaints.domain.complaint.subject import Subject
from complaints.domain.errors import NotFound, StaleVersion
from complaints.domain.scope import Scope
from complaints.storage.database.any_of import any_of
from complaints.storage.database.bulk import Inserts
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import deadline as deadline_rows
from complaints.storage.rows import escalation as escalation_rows
from complaints.storage.rows import event_text
from complaints.storage.rows import subject as subject_rows
from complaints.storage.rows.scope_condition import subject_condition
from complaints.storage.rows.subject import SubjectRecord, subject


@dataclass(frozen=True, slots=True)
class SubjectToSave:
    """A finished change of a subject, with the end of its history before the change."""

    change: SubjectChange
    history_end: HistoryEnd = NO_HISTORY


# Reading -------------------------------------------------------------------------------------------------------------


def load_subject(
    tx: Transaction, kind: str | None, reference: str | UUID, *, scope: Scope, lock: bool = False
) -> SubjectRecord:
    """The subject of a kind with this id or number, within `scope`. Raises NotFound. None: of any kind.

    `lock` keeps other transactions from changing it until this one ends.
    """
    conditions = [_is_named(reference), subject_condition(scope)]
    if kind is not None:
        conditions.append(subject.c.kind == kind)
    found = find_subjects(tx, *conditions, lock=lock)
    if not found:
        raise NotFound(f"There is no {kind or 'subject'} {str(reference)[:100]!r}.")
    return found[0]


def _is_named(reference: str | UUID) -> ColumnElement[bool]:
    with suppress(ValueError):
        return subject.c.id == (reference if isinstance(reference, UUID) else UUID(reference))
    return subject.c.number == str(reference).upper()


def find_subjects(tx: Transaction, *conditions: Any, lock: bool = False) -> list[SubjectRecord]:
    """The subjects that fit all conditions, with their deadlines, ordered by id."""
    return load_parts(tx, subject_rows.find_rows(tx, *conditions, lock=lock))


def lock_subjects(tx: Transaction, ids: Collection[UUID]) -> list[SubjectRecord]:
    """The subjects with these ids, locked, ordered by id."""
    return find_subjects(tx, any_of(subject.c.id, ids), lock=True) if ids else []


def load_parts(tx: Transaction, rows: Sequence[Any]) -> list[SubjectRecord]:
    """The subjects of these rows, in the order of the rows: reads their deadlines."""
    if not rows:
        return []
    deadlines = deadline_rows.find_subject_deadlines(tx, [row.id for row in rows])
    return [
        SubjectRecord(
            subject_rows.fact_of(row, deadlines.get(row.id, ())),
            HistoryEnd(row.history_count, row.history_digest),
            row.events_after,
        )
        for row in rows
    ]


# Writing -------------------------------------------------------------------------------------------------------------


def write_subjects(tx: Transaction, changes: Sequence[SubjectToSave]) -> list[tuple[UUID, ChainedEvent]]:
    """Write changes of subjects. Returns their events, which are not written.

    Raises StaleVersion if a subject changed after it was read.
    """
    events: list[tuple[UUID, ChainedEvent]] = []
    new: list[dict[str, Any]] = []
    changed: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for to_save in changes:
        change = to_save.change
        change.finish()
        chained, end = chain(to_save.history_end, change.events, tx.new_salt)
        events += ((change.subject.id, event) for event in chained)
        history = {"history_count": end.count, "history_digest": end.digest}
        if change.before is None:
            new.append(subject_rows.values_of(change.subject) | history)
        elif row := _changed_columns(change.before, change.subject) | (history if chained else {}):
            changed[tuple(row)].append(
                row | {"key_id": change.subject.id, "key_version": change.before.version}
            )
    inserts = Inserts(tx)
    subject_rows.insert_rows(inserts, new)
    for rows in changed.values():
        if subject_rows.update_rows(tx, rows) != len(rows):
            raise StaleVersion("The subject was changed by someone else at the same time: read it again.")
    _write_parts(tx, inserts, changes)
    event_text.insert_texts(inserts, events, of_subjects=True)
    inserts.write()
    return events


def _changed_columns(before: Subject, after: Subject) -> dict[str, Any]:
    old, new = subject_rows.values_of(before), subject_rows.values_of(after)
    return {name: value for name, value in new.items() if value != old[name]}


def _write_parts(tx: Transaction, inserts: Inserts, changes: Sequence[SubjectToSave]) -> None:
    new: list[dict[str, Any]] = []
    moved: list[Deadline] = []
    for to_save in changes:
        after, before = to_save.change.subject, to_save.change.before
        known = {d.id: d for d in before.deadlines} if before else {}
        new += (
            deadline_rows.values_of(d) | {"subject_id": after.id}
            for d in after.deadlines
            if d.id not in known
        )
        moved += (d for d in after.deadlines if d.id in known and d != known[d.id])
    deadline_rows.insert_deadlines(inserts, new)
    deadline_rows.update_deadlines(tx, moved)
    taken = [(s.change.subject.id, s.change.subject.team, e) for s in changes for e in s.change.escalations]
    escalation_rows.insert_escalations(inserts, taken, of_subjects=True)


def settle_subjects(tx: Transaction, changes: Collection[SubjectToSave]) -> None:
    """Settle the steps of deadlines that were met or cancelled, and everything of subjects that ended (rule 3.8)."""
    ended = [
        one.change.subject.id
        for one in changes
        if one.change.before is not None and one.change.before.open and not one.change.subject.open
    ]
    settled = list(join.from_iterable(map(_settled_deadlines, changes)))
    escalation_rows.settle_escalations(tx, settled, ended, of_subjects=True)


def _settled_deadlines(to_save: SubjectToSave) -> list[UUID]:
    before = to_save.change.before
    unmet = {d.id for d in before.deadlines if d.unmet} if before else set()
    return [d.id for d in to_save.change.subject.deadlines if d.id in unmet and not d.unmet and d.steps_taken]
