"""Use cases of subjects that are no complaints, for annexes: open, change, read, explain, follow their history.

An annex calls them inside a transaction, in which it also writes its own tables.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import SubjectChange
from complaints.domain.complaint.subject import Subject, SubjectName
from complaints.domain.errors import NotFound, StaleVersion
from complaints.domain.policy.policy import Policy
from complaints.domain.policy.subject_kinds import SubjectKind
from complaints.domain.rules.subjects import open_subject
from complaints.domain.vocabulary import EventType, LinkType
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import event
from complaints.storage.rows.link import add_subject_link, find_subject_links, remove_subject_link
from complaints.storage.rows.subject import take_sequence
from complaints.storage.save import save
from complaints.storage.subjects import SubjectToSave
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.changing import Versions, catch_up, last_changed_at
from complaints.use_cases.complaints.explanation import Explanation, explain_deadline
from complaints.use_cases.complaints.history import EventRecord, event_with_texts
from complaints.use_cases.complaints.known import load_known_subject
from complaints.use_cases.service import Service

Step = Callable[[SubjectChange, Policy], None]


def add_subject(
    service: Service,
    tx: Transaction,
    caller: Caller,
    kind: SubjectKind,
    *,
    team: str,
    owner: str,
    step: Step,
    **data: Any,
) -> Subject:
    """Open a subject in the first state of its kind. `step` starts its deadlines. `data` goes into its first event.

    It keeps the policy in force now (rule 2.9). Raises Forbidden, and what `step` raises.
    """
    caller.require(Right.WORK)
    policy = service.configuration(tx).policy_at(tx.now)
    sequence = take_sequence(tx, kind.name)
    subject = Subject(
        id=service.new_id(),
        kind=kind.name,
        number=kind.number(sequence),
        sequence=sequence,
        version=1,
        status=kind.states[0],
        cycle=1,
        created_at=tx.now,
        updated_at=tx.now,
        team=team,
        owner=owner,
        policy_code=policy.code,
        policy_version=policy.version,
    )
    change = SubjectChange(subject, actor=caller.actor, new_id=service.new_id, new=True)
    step(change, service.configuration(tx).policy_of(subject))
    open_subject(change, tx.now, **data)
    catch_up(service, tx, change)
    save(tx, [], service.new_id, subjects=[SubjectToSave(change)])
    return change.subject


def load_subject(tx: Transaction, caller: Caller, kind: SubjectKind, reference: str | UUID) -> Subject:
    """The subject with this id or number. Raises NotFound, also outside the scope of the caller."""
    return load_known_subject(tx, caller, kind.name, reference).subject


def change_subject(
    service: Service,
    tx: Transaction,
    caller: Caller,
    kind: SubjectKind,
    reference: str | UUID,
    step: Step,
    *,
    versions: Versions = None,
) -> Subject:
    """Load a subject, let `step` plan on its change, and save it. Returns the subject after the change.

    Raises Forbidden, NotFound outside the scope of the caller, StaleVersion if it has none of `versions`, and what
    `step` raises.
    """
    caller.require(Right.WORK)
    loaded = load_known_subject(tx, caller, kind.name, reference, right=Right.WORK, lock=True)
    if versions is not None and loaded.subject.version not in versions:
        raise StaleVersion(
            f"{loaded.subject.number} is now at version {loaded.subject.version}: read it again."
        )
    tx = tx.not_before(last_changed_at(loaded.subject))
    change = SubjectChange(loaded.subject, actor=caller.actor, new_id=service.new_id)
    step(change, catch_up(service, tx, change))
    catch_up(service, tx, change)  # a moved deadline may be past due
    save(tx, [], service.new_id, subjects=[SubjectToSave(change, loaded.history_end)])
    return change.subject


def link_subject(tx: Transaction, change: SubjectChange, link_type: LinkType, other: SubjectName) -> bool:
    """Link the subject of a change to a complaint or another subject. Returns False if the link exists.

    The caller has loaded the other within the scope of its own caller.
    """
    return _record_link(tx, change, link_type, other, add_subject_link, EventType.LINKED)


def unlink_subject(tx: Transaction, change: SubjectChange, link_type: LinkType, other: SubjectName) -> bool:
    """Remove a link of the subject of a change. Returns False if there was none."""
    return _record_link(tx, change, link_type, other, remove_subject_link, EventType.UNLINKED)


def _record_link(
    tx: Transaction,
    change: SubjectChange,
    link_type: LinkType,
    other: SubjectName,
    write: Callable[[Transaction, UUID, LinkType, SubjectName], bool],
    event_type: EventType,
) -> bool:
    if not write(tx, change.subject.id, link_type, other):
        return False
    change.touch(tx.now)
    change.record(event_type, tx.now, type=link_type, kind=other.kind, other_id=str(other.id))
    return True


def list_links(tx: Transaction, caller: Caller, subject_id: UUID) -> Sequence[tuple[LinkType, SubjectName]]:
    """The links of a subject to what is within the scope of the caller."""
    found = find_subject_links(tx, [subject_id], scope=caller.scope)
    return [(link_type, other) for _, link_type, other in found]


def timeline(
    tx: Transaction, caller: Caller, kind: SubjectKind, reference: str | UUID, *, after: int, limit: int
) -> Sequence[EventRecord]:
    """Up to `limit` events of a subject after ordinal `after`, oldest first. Raises NotFound."""
    loaded = load_known_subject(tx, caller, kind.name, reference)
    rows = event.list_events(
        tx,
        loaded.subject.id,
        after=after,
        limit=limit,
        of_subject=True,
        from_number=loaded.events_after,
    )
    return [event_with_texts(row) for row in rows]


def explain(
    service: Service,
    tx: Transaction,
    caller: Caller,
    kind: SubjectKind,
    reference: str | UUID,
    deadline_id: UUID,
) -> Explanation:
    """Explain a deadline of a subject (rule 2.13). Raises NotFound, also for a deadline of another subject."""
    subject = load_subject(tx, caller, kind, reference)
    deadline = next((d for d in subject.deadlines if d.id == deadline_id), None)
    if deadline is None:
        raise NotFound(f"{subject.number} has no deadline {str(deadline_id)!r}.")
    return explain_deadline(tx, deadline, subject, service.configuration(tx).policy_of(subject))
