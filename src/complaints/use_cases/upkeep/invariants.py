"""The invariants of complaints and other subjects: functions that yield what is wrong (rules 2.12, 3.1, 3.3)."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from pydantic_core import from_json

from complaints.domain.complaint.change import Event, recorded_changes, recorded_deadline
from complaints.domain.complaint.facts import Complaint, Deadline
from complaints.domain.complaint.history import HistoryEnd, chained_digest, fold
from complaints.domain.complaint.subject import Subject
from complaints.domain.complaint.texts import ERASED, find_erased, find_text_faults, join_texts
from complaints.domain.complaint.words import comparable_words, digest_words
from complaints.domain.json_text import to_json
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.deadlines import set_wake_time
from complaints.domain.rules.repetitions import MARK
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import EventType, LinkType
from complaints.storage.indexing import terms_of
from complaints.storage.queries.audit import ComplaintRow, EscalationRow, EventRow, Parts
from complaints.storage.rows.complaint import values_of
from complaints.storage.rows.person import digest_of

_FOLLOWING = ("next_due_at", "overdue_after_at", "wake_at", "escalation_level")
_OF_ESCALATION = (
    "deadline_id",
    "kind",
    "step",
    "level",
    "roles",
    "recipients",
    "planned_at",
    "superseded",
    "reason",
)
_LINK_TYPES, _EVENT_TYPES = frozenset(LinkType), frozenset(EventType)
_LINKING = (EventType.LINKED, EventType.UNLINKED, EventType.MERGED, EventType.UNMERGED)


@dataclass(frozen=True, kw_only=True)
class SubjectCase:
    """One complaint or other subject with everything that is stored about it.

    `secret` is the secret of the installation. `now_is_late`: its wake time is more than a minute ago. `cut_off`: the
    history began in a month that was detached, so only the rest of it can be checked.
    """

    subject: Complaint | Subject
    history_end: HistoryEnd
    events_after: int
    parked_at: datetime | None
    events: Sequence[EventRow]
    parts: Parts
    policy: Policy
    directory: Directory
    secret: bytes = field(repr=False)
    now_is_late: bool
    cut_off: bool

    @cached_property
    def stored_data(self) -> list[dict[str, Any]]:
        """The data of the events as stored, oldest first."""
        return [from_json(row.data, cache_strings="keys") for row in self.events]

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """The data of the events with their texts, oldest first."""
        texts = self.parts.texts
        return [
            join_texts(row.type, data, texts[row.ordinal].texts if row.ordinal in texts else {})
            for row, data in zip(self.events, self.stored_data, strict=True)
        ]

    @cached_property
    def erased(self) -> dict[int, str | None]:
        """The events whose texts were erased (`texts.find_erased`)."""
        found = zip(self.events, self.stored_data, strict=True)
        return find_erased((row.ordinal, row.type, data) for row, data in found)

    def recorded(self, *types: EventType) -> Iterator[tuple[EventRow, dict[str, Any]]]:
        """The events of these types, with their data."""
        return ((row, data) for row, data in zip(self.events, self.records, strict=True) if row.type in types)


@dataclass(frozen=True, kw_only=True)
class Case(SubjectCase):
    """One complaint with everything that is stored about it."""

    stored: ComplaintRow

    @property
    def complaint(self) -> Complaint:
        """The complaint as stored."""
        return self.stored.loaded.complaint


# History -----------------------------------------------------------------------------------------------------------


def _history_unbroken(case: SubjectCase) -> Iterator[str]:
    end, events = _beginning(case)
    number = case.events_after
    for row in events:
        event = Event(row.type, row.version, row.at, row.actor, {})
        if row.ordinal != end.count + 1:
            yield f"after event {end.count} comes event {row.ordinal}"
        written = case.erased.get(row.ordinal) or row.digest.hex()
        if chained_digest(end.digest, row.ordinal, event, row.data).hex() != written:
            yield f"event {row.ordinal} is not what was written"
        if row.sequence <= number:
            yield f"event {row.ordinal} has a lower number in the feed than what came before it"
        end, number = HistoryEnd(row.ordinal, row.digest), row.sequence
    if end != case.history_end:
        yield f"the history ends with event {end.count}, not with event {case.history_end.count}"


def _beginning(case: SubjectCase) -> tuple[HistoryEnd, Sequence[EventRow]]:
    """The end from which the chain is checked, and the events after it.

    If the history is cut off, the digest of its first event cannot be checked: the event before is not there.
    """
    if not case.cut_off:
        return HistoryEnd(), case.events
    if not case.events:
        return case.history_end, []
    return HistoryEnd(case.events[0].ordinal, case.events[0].digest), case.events[1:]


def _texts_recorded(case: SubjectCase) -> Iterator[str]:
    """A text fits its digest in the history. A text that is not there is named by an event that erased it."""
    for row, data in zip(case.events, case.stored_data, strict=True):
        kept, is_erased = case.parts.texts.get(row.ordinal), row.ordinal in case.erased
        for fault in find_text_faults(row.type, data, kept, is_erased=is_erased):
            yield f"event {row.ordinal} {fault}"
    ordinals = {row.ordinal for row in case.events}
    first = min(ordinals, default=case.history_end.count + 1) if case.cut_off else 1
    for ordinal in sorted(case.parts.texts.keys() - ordinals):
        if ordinal >= first:
            yield f"there are texts of event {ordinal}, which the history does not have"


def _state_is_history(case: SubjectCase) -> Iterator[str]:
    if case.cut_off:
        return
    members, deadlines = fold(case.records)
    stored = recorded_changes(None, case.subject)
    if case.events and case.events[-1].version != case.subject.version:
        yield "version is not what the history says"
    yield from _differences(stored, members, "{} is not what the history says")
    kept = {str(d.id): recorded_deadline(d) for d in case.subject.deadlines}
    yield from _differences(kept, deadlines, "deadline {} is not what the history says")


def _differences(stored: Mapping[str, Any], recorded: Mapping[str, Any], message: str) -> Iterator[str]:
    if stored == recorded:
        return
    for name in sorted(stored.keys() | recorded.keys()):
        if stored.get(name) != recorded.get(name):
            yield message.format(name)


# Rows that follow from the complaint or from its history -----------------------------------------------------------


def _columns_follow(case: Case) -> Iterator[str]:
    expected = values_of(case.complaint)
    for name in _FOLLOWING:
        if expected[name] != getattr(case.stored, name):
            yield f"{name} does not follow from the deadlines"


def _index_follows(case: Case) -> Iterator[str]:
    complaint = case.complaint
    if set(complaint.tags) != case.parts.tags:
        yield "the indexed tags are not the tags of the complaint"
    named = complaint.ids_by_system if case.stored.has_words else complaint.external_ids
    if not named.items() <= case.parts.external_ids:
        yield "an external id of the complaint has no row that finds it"
    if case.parts.terms is not None and set(terms_of(complaint, case.parts.persons)) != case.parts.terms:
        yield "the search terms are not the terms of its texts and persons"


def _links_recorded(case: Case) -> Iterator[str]:
    if case.cut_off:
        return
    recorded: set[tuple[str, str]] = set()
    merged_into = ""
    for row, data in case.recorded(*_LINKING):
        if row.type == EventType.MERGED:
            merged_into = data["into"]
            recorded.add((LinkType.DUPLICATE_OF, merged_into))
        elif row.type == EventType.UNMERGED:
            recorded.discard((LinkType.DUPLICATE_OF, merged_into))
        elif row.type == EventType.UNLINKED:
            recorded.discard((data["type"], data["complaint_id"]))
        elif data["type"] in _LINK_TYPES:
            recorded.add((data["type"], data["complaint_id"]))
    for link_type, other in sorted(case.parts.links ^ recorded):
        yield f"the link {link_type} to {other} is not what the history says"


def _persons_recorded(case: Case) -> Iterator[str]:
    """A person without a digest in the history cannot be proved: an older program wrote it."""
    if case.cut_off:
        return
    recorded: dict[str, str | None] = {}
    unproved: set[str] = set()
    for data in case.records:
        digests = data.get("person_digests", {})
        unproved = (unproved | set(data.get("persons", {}))) - digests.keys()
        recorded |= digests
    stored = {row["role"]: digest_of(row) for row in case.parts.persons if row["salt"] is not None}
    for role in sorted((stored.keys() | recorded.keys()) - unproved):
        if stored.get(role) != recorded.get(role):
            yield f"the {role} is not the person of the history"


def _promises_recorded(case: Case) -> Iterator[str]:
    if case.cut_off:
        return
    recorded = {
        data["deadline_id"]: (data["text"], data.get("made_by", row.actor))
        for row, data in case.recorded(EventType.PROMISE_MADE)
    }
    yield from _differences(case.parts.promises, recorded, "promise {} is not what the history says")


def _words_known(case: Case) -> Iterator[str]:
    """Rule 1.11: the same words are a retry, so the digest of each contact's words is kept."""
    for row, data in case.recorded(EventType.CONTACT_REPEATED):
        words = comparable_words(data["subject"], data.get("description"))
        if digest_words(case.secret, words) not in case.parts.words:
            yield f"the words of the contact in event {row.ordinal} would not be known as a retry"


def _holds_recorded(case: Case) -> Iterator[str]:
    if case.cut_off:
        return
    recorded = {(row.at, data["reason"]) for row, data in case.recorded(EventType.HELD)}
    if recorded != {(hold.started_at, hold.reason) for hold in case.complaint.holds}:
        yield "the holds are not those of the history"


def _attachments_recorded(case: Case) -> Iterator[str]:
    """Rules 10.1 and 10.5: each attachment is that of its event, and is erased if the name in the event is."""
    if case.cut_off:
        return
    findings = {d["attachment_id"]: d["finding"] for _, d in case.recorded(EventType.ATTACHMENT_INFECTED)}
    recorded = {
        data["attachment_id"]: (
            None if data["file_name"] == ERASED else data["file_name"],
            data["media_type"],
            data["size"],
            data["sha256"],
            data["visibility"],
            findings.get(data["attachment_id"]),
        )
        for _, data in case.recorded(EventType.ATTACHMENT_ADDED)
    }
    stored = {
        str(one.id): (one.name, one.media_type, one.size, one.digest.hex(), one.visibility, one.finding)
        for one in case.parts.attachments
    }
    yield from _differences(stored, recorded, "attachment {} is not what the history says")


# Deadlines and escalations -----------------------------------------------------------------------------------------


def _nothing_forgotten(case: SubjectCase) -> Iterator[str]:
    """Rule 2.12: each unmet deadline of an open subject leads to something; an ended one has none."""
    subject = case.subject
    unmet = [d for d in subject.deadlines if d.unmet]
    if not subject.open:
        if unmet:
            yield f"it is {subject.status} and has an unmet {unmet[0].kind} deadline"
    elif not unmet and isinstance(subject, Complaint):
        yield "it is open and has no unmet deadline"
    elif not unmet and not _has_owner(case):
        yield "it is open, no deadline of it is unmet, and nobody active owns it"
    for deadline in unmet:
        if deadline.kind in case.policy.rules:  # another invariant reports an unknown kind
            yield from _leads_on(case, deadline)


def _leads_on(case: SubjectCase, deadline: Deadline) -> Iterator[str]:
    expected = set_wake_time(deadline, case.subject, case.policy).wake_at
    if deadline.wake_at != expected:
        yield f"its {deadline.kind} deadline would wake at {to_json(deadline.wake_at)}, not at {to_json(expected)}"
    elif expected is None and case.subject.open and not _has_owner(case):
        noun = "complaint" if isinstance(case.subject, Complaint) else "subject"
        yield f"its {deadline.kind} deadline is at the top of its ladder, and nobody active owns the {noun}"


def _types_registered(case: Case) -> Iterator[str]:
    """The database allows every type of event: annexes add some."""
    yield from find_unknown_types(case, _EVENT_TYPES)


def find_unknown_types(case: SubjectCase, known: Collection[str]) -> Iterator[str]:
    """The types of its events that nobody declares, in words."""
    for event_type in sorted({row.type for row in case.events}.difference(known)):
        yield f"no registered annex declares the type of its event {event_type}"


def _has_owner(case: SubjectCase) -> bool:
    """True if the owner is active, or what the owner has is being handed over (rule 1.7)."""
    owner = case.directory.users.get(case.subject.assignee or case.subject.first_owner)
    return owner is not None and (owner.active or owner.login in case.directory.leaving)


def _steps_once(case: SubjectCase) -> Iterator[str]:
    by_deadline: dict[UUID, list[str]] = {}
    for row in case.parts.escalations:
        if row.taken_at < row.planned_at:
            yield f"step {row.step} was taken before its time"
        if row.deadline_id is not None:
            by_deadline.setdefault(row.deadline_id, []).append(row.step)
    for deadline in case.subject.deadlines:
        steps = by_deadline.get(deadline.id, [])
        ladder = [step for step in steps if MARK not in step]
        if sorted(ladder) != sorted(deadline.steps_taken) or len(set(steps)) != len(steps):
            yield f"the steps of deadline {deadline.id} differ from its escalations"
        if deadline.kind not in case.policy.rules:
            continue
        if deadline.unmet and not _repetitions_counted(deadline, steps, case.policy):
            yield f"a repetition on deadline {deadline.id} is missing, or was not counted"


def _repetitions_counted(deadline: Deadline, steps: Sequence[str], policy: Policy) -> bool:
    """True if the repetitions among `steps` are numbered without gaps up to the last one that was taken (rule 3.9)."""
    last = policy.rules[deadline.kind].ladder[-1].name
    numbers = sorted(
        int(n) for name, mark, n in (step.partition(MARK) for step in steps) if mark and name == last
    )
    if not numbers:
        return deadline.repetitions == 0
    first = deadline.repetitions - len(numbers) + 1
    return numbers == [*range(first, deadline.repetitions + 1)]


def _settled_when_done(case: SubjectCase) -> Iterator[str]:
    """Rule 3.8: no step of an unmet deadline is settled."""
    unmet = {d.id for d in case.subject.deadlines if d.unmet}
    for row in case.parts.escalations:
        if row.deadline_id in unmet and row.settled_at is not None:
            yield f"step {row.step} is settled, but somebody still has to act on it"


def _steps_recorded(case: SubjectCase) -> Iterator[str]:
    """Each escalation is as its event says, and so is its acknowledgement."""
    if case.cut_off:
        return
    steps = {data["escalation_id"]: _recorded_step(row, data) for row, data in _escalation_events(case)}
    heard = {
        data["escalation_id"]: (to_json(row.at), row.actor, data.get("note"))
        for row, data in case.recorded(EventType.ESCALATION_ACKNOWLEDGED)
    }
    stored = {str(row.id): _stored_step(row) for row in case.parts.escalations}
    yield from _differences(stored, steps, "escalation {} is not what the history says")
    acknowledged = {
        str(row.id): (to_json(row.acknowledged_at), row.acknowledged_by, row.acknowledged_note)
        for row in case.parts.escalations
        if row.acknowledged_at is not None
    }
    yield from _differences(
        acknowledged, heard, "the acknowledgement of escalation {} is not what the history says"
    )
    for row in case.parts.escalations:
        if set(row.recipients) != case.parts.recipients.get(row.id, set()):
            yield f"the inboxes that show escalation {row.id} are not those of its recipients"


def _escalation_events(case: SubjectCase) -> Iterator[tuple[EventRow, dict[str, Any]]]:
    found = zip(case.events, case.records, strict=True)
    return (
        (row, data)
        for row, data in found
        if "escalation_id" in data and row.type != EventType.ESCALATION_ACKNOWLEDGED
    )


def _recorded_step(row: EventRow, data: Mapping[str, Any]) -> list[Any]:
    return [to_json(row.at), *(data.get(name) for name in _OF_ESCALATION)]


def _stored_step(row: EscalationRow) -> list[Any]:
    return [to_json(row.taken_at), *(to_json(getattr(row, name)) for name in _OF_ESCALATION)]


def _steps_heard(case: SubjectCase) -> Iterator[str]:
    for row in case.parts.escalations:
        if not row.superseded and not row.recipients:
            yield f"nobody was notified of step {row.step}: nobody holds its roles"


def _in_time(case: SubjectCase) -> Iterator[str]:
    if case.parked_at is not None:
        yield "it is set aside because its deadlines could not be caught up; the log says why"
    elif case.now_is_late:
        yield "its deadlines are over a minute behind: is a worker running?"


OF_ALL_SUBJECTS: tuple[tuple[str, Callable[[SubjectCase], Iterator[str]]], ...] = (
    ("history unbroken", _history_unbroken),
    ("texts recorded", _texts_recorded),
    ("state is history", _state_is_history),
    ("nothing forgotten", _nothing_forgotten),
    ("steps taken once", _steps_once),
    ("steps settled", _settled_when_done),
    ("steps recorded", _steps_recorded),
    ("steps heard", _steps_heard),
    ("deadlines in time", _in_time),
)
INVARIANTS: tuple[tuple[str, Callable[[Case], Iterator[str]]], ...] = (
    *OF_ALL_SUBJECTS,
    ("columns follow", _columns_follow),
    ("index follows", _index_follows),
    ("links recorded", _links_recorded),
    ("persons recorded", _persons_recorded),
    ("promises recorded", _promises_recorded),
    ("holds recorded", _holds_recorded),
    ("words known", _words_known),
    ("attachments recorded", _attachments_recorded),
    ("types registered", _types_registered),
)
