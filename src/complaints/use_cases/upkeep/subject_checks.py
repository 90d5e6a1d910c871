"""`complaints check` for subjects that are no complaints: the invariants of complaints hold for them too."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from complaints.domain.complaint.subject import Subject
from complaints.domain.policy.subject_kinds import SubjectKind
from complaints.storage import months
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import subject_audit
from complaints.storage.queries.subject_audit import SubjectParts, SubjectRow
from complaints.use_cases.service import Configuration, Service
from complaints.use_cases.upkeep.checks import BATCH, LATE
from complaints.use_cases.upkeep.invariants import OF_ALL_SUBJECTS, SubjectCase, find_unknown_types
from complaints.use_cases.upkeep.violation import Violation

_KIND = "kinds registered"


def check_subjects(service: Service) -> Iterator[Violation]:
    """Every breach of an invariant of a subject that is no complaint (rule 2.12)."""
    after: UUID | None = None
    while True:
        read = service.read(partial(_read_batch, service, after))
        for row in read.rows:
            yield from (Violation(name, row.number, message) for name, message in _check(row, read))
        if len(read.rows) < BATCH:
            return
        after = read.rows[-1].id


@dataclass(frozen=True, slots=True)
class _Batch:
    """Subjects with everything that is stored about them. `parts` has their ids as keys."""

    rows: Sequence[SubjectRow]
    parts: Mapping[UUID, SubjectParts]
    configuration: Configuration
    horizon: int
    now: datetime


def _read_batch(service: Service, after: UUID | None, tx: Transaction) -> _Batch:
    rows = subject_audit.find_batch(tx, after, BATCH)
    parts = subject_audit.find_parts(tx, [row.id for row in rows]) if rows else {}
    return _Batch(rows, parts, service.configuration(tx), months.horizon(tx), tx.now)


def _check(row: SubjectRow, read: _Batch) -> Iterator[tuple[str, str]]:
    """Check a subject without a transaction, as complaints are checked."""
    configuration, parts = read.configuration, read.parts[row.id]
    if row.loaded is None:
        yield "readable", "its stored data makes no sense"
        return
    subject, events = row.loaded.subject, parts.events
    kind = configuration.kinds.get(subject.kind)
    base = configuration.policy(subject.policy_code, subject.policy_version)
    case = SubjectCase(
        subject=subject,
        history_end=row.loaded.history_end,
        events_after=row.loaded.events_after,
        parked_at=row.parked_at,
        events=events,
        parts=parts.others,
        policy=configuration.policy_of(subject) if kind else base,
        directory=configuration.directory,
        secret=configuration.secret,
        now_is_late=subject.wake_at is not None and read.now - subject.wake_at > LATE,
        cut_off=row.loaded.events_after < read.horizon and not (events and events[0].ordinal == 1),
    )
    if subject.wake_at != row.wake_at:
        yield "columns follow", "wake_at does not follow from the deadlines"
    yield from ((_KIND, message) for message in _unregistered(case, subject, kind))
    if kind is not None:
        types = find_unknown_types(case, kind.all_event_types)
        yield from (("types registered", message) for message in types)
    yield from (("links recorded", message) for message in _unrecorded_links(case, subject.kind))
    for name, rule in OF_ALL_SUBJECTS:
        yield from ((name, message) for message in rule(case))


def _unregistered(case: SubjectCase, subject: Subject, kind: SubjectKind | None) -> Sequence[str]:
    if kind is None:
        return [f"no registered annex declares subjects of the kind {subject.kind}"]
    unknown = {d.kind for d in subject.deadlines} - kind.deadline_kinds
    found = [f"no registered annex declares the kind of its deadline {one}" for one in sorted(unknown)]
    if subject.status not in kind.states:
        found.append(f"the kind {kind.name} declares no state {subject.status}")
    elif (subject.status in kind.open_states) != subject.open:
        found.append(f"it is {subject.status}, and its end says otherwise")
    return found


def _unrecorded_links(case: SubjectCase, kind: str) -> Iterator[str]:
    if case.cut_off:
        return
    recorded: set[tuple[str, str]] = set()
    for row, data in zip(case.events, case.records, strict=True):
        if row.type == f"{kind}.linked":
            recorded.add((data["type"], data["other_id"]))
        elif row.type == f"{kind}.unlinked":
            recorded.discard((data["type"], data["other_id"]))
    for link_type, other in sorted(case.parts.links ^ recorded):
        yield f"the link {link_type} to {other} is not what the history says"
