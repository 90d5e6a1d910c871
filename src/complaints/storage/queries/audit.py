"""Reads everything stored about complaints, batch by batch, for `complaints check`."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func, select, text

from complaints.domain.complaint.attachments import Attachment
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.texts import EventTexts
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.domain.vocabulary import DeadlineKind
from complaints.storage import months
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.load import find_complaints
from complaints.storage.rows.attachment import find_of_complaints
from complaints.storage.rows.complaint import ComplaintRecord, complaint, complaint_tag
from complaints.storage.rows.contact_digest import find_digests
from complaints.storage.rows.deadline import find_promises
from complaints.storage.rows.escalation import escalation, escalation_recipient
from complaints.storage.rows.event import event
from complaints.storage.rows.event_text import find_texts
from complaints.storage.rows.external_id import find_rows as find_external_ids
from complaints.storage.rows.link import find_links
from complaints.storage.rows.person import find_rows
from complaints.storage.rows.reindexing import find_progress
from complaints.storage.rows.search import find_terms

_PAIRS_AT_ONCE = 1000  # each is four parameters of a statement


class ComplaintRow(NamedTuple):
    """A complaint, and the stored columns that must follow from it.

    `has_words`: the digest of the words at intake is stored. Complaints of before have neither this digest nor a row
    of their own external id.
    """

    loaded: ComplaintRecord
    next_due_at: datetime | None
    overdue_after_at: datetime | None
    wake_at: datetime | None
    escalation_level: int
    parked_at: datetime | None
    has_words: bool


class EventRow(NamedTuple):
    """An event as stored. `data` is the text from which its digest was made.

    `owner_id` is the id of its complaint or other subject as the database spells it: events are many, and to make a
    UUID of each takes long.
    """

    owner_id: str
    sequence: int
    ordinal: int
    type: str
    version: int
    at: datetime
    actor: str
    data: str
    digest: bytes


class EscalationRow(NamedTuple):
    """An escalation as stored. `owner_id` is the id of its complaint or other subject."""

    owner_id: UUID
    id: UUID
    deadline_id: UUID | None
    kind: str | None
    step: str
    level: int
    roles: list[str]
    recipients: list[str]
    planned_at: datetime
    taken_at: datetime
    superseded: bool
    reason: str | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_note: str | None
    settled_at: datetime | None


@dataclass(slots=True)
class Parts:
    """The rows of one complaint in other tables.

    `recipients` are the logins by escalation id. `links` are pairs of a type and the id of the other complaint.
    `promises` are pairs of a text and its author, by deadline id. `external_ids` are pairs of a system and a name.
    `words` are the digests of the words at intake and of contacts. `texts` are those of events, by ordinal.
    `terms` is None if the complaint waits to be indexed again.
    """

    escalations: list[EscalationRow] = field(default_factory=list)
    recipients: dict[UUID, set[str]] = field(default_factory=lambda: defaultdict(set))
    links: set[tuple[str, str]] = field(default_factory=set)
    promises: dict[str, tuple[str, str]] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    external_ids: set[tuple[str, str]] = field(default_factory=set)
    words: set[bytes] = field(default_factory=set)
    persons: Sequence[Mapping[str, Any]] = ()
    terms: set[str] | None = field(default_factory=set)
    texts: Mapping[int, EventTexts] = field(default_factory=dict)
    attachments: Sequence[Attachment] = ()


class IdRange(NamedTuple):
    """The complaints with ids above `after`, up to `up_to`. None is no bound."""

    after: UUID | None = None
    up_to: UUID | None = None


class AuditBatch(NamedTuple):
    """Complaints, ordered by id.

    `stored` can be read. `unreadable` are the sequences of complaints that cannot be read. `last` is the last id of
    both.
    """

    stored: list[ComplaintRow]
    unreadable: list[int]
    last: UUID | None


def find_ranges(
    tx: Transaction, *conditions: ColumnElement[bool], size: int, after: UUID | None = None
) -> list[IdRange]:
    """Ranges of `size` complaints that follow each other. The first begins after the id `after`, the last is open.

    Only complaints that fit all `conditions` count.
    """
    places = select(complaint.c.id, func.row_number().over(order_by=complaint.c.id).label("place"))
    places = places.where(*conditions)
    if after is not None:
        places = places.where(complaint.c.id > after)
    numbered = places.subquery()
    every = select(numbered.c.id).where(numbered.c.place % size == 0).order_by(numbered.c.id)
    bounds = [after, *tx.connection.execute(every).scalars(), None]
    return [IdRange(*pair) for pair in pairwise(bounds)]


def find_batch(tx: Transaction, within: IdRange, limit: int) -> AuditBatch:
    """The first complaints of a range, at most `limit`."""
    c = complaint.c
    columns = (
        c.id,
        c.sequence,
        c.next_due_at,
        c.overdue_after_at,
        c.wake_at,
        c.escalation_level,
        c.parked_at,
        c.words_digest.is_not(None),
    )
    statement = select(*columns).order_by(c.id).limit(limit)
    if within.after is not None:
        statement = statement.where(c.id > within.after)
    if within.up_to is not None:
        statement = statement.where(c.id <= within.up_to)
    rows = tx.connection.execute(statement).all()
    loaded = _load_readable(tx, [row.id for row in rows])
    return AuditBatch(
        stored=[ComplaintRow(loaded[row.id], *row[2:]) for row in rows if row.id in loaded],
        unreadable=[row.sequence for row in rows if row.id not in loaded],
        last=rows[-1].id if rows else None,
    )


def _load_readable(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, ComplaintRecord]:
    """The complaints whose stored data is valid.

    They are loaded together. If that fails, each is loaded alone, and the invalid ones are left out.
    """
    try:
        found = find_complaints(tx, any_of(complaint.c.id, ids)) if ids else []
    except (ValueError, TypeError, LookupError):
        if len(ids) == 1:
            return {}
        return {key: record for i in ids for key, record in _load_readable(tx, [i]).items()}
    return {record.complaint.id: record for record in found}


def event_columns(owner: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """The columns of an `EventRow`. `owner` names its complaint or other subject."""
    return [cast(owner, Text), *(event.c[name] for name in EventRow._fields[1:])]


def escalation_columns(owner: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """The columns of an `EscalationRow`. `owner` names its complaint or other subject."""
    return [owner, *(escalation.c[name] for name in EscalationRow._fields[1:])]


def find_events(tx: Transaction, batch: Sequence[ComplaintRow]) -> Sequence[EventRow]:
    """The events of complaints, ordered by complaint and ordinal."""
    if not batch:
        return []
    columns = event_columns(event.c.complaint_id)
    statement = select(*columns).where(
        any_of(event.c.complaint_id, [stored.loaded.complaint.id for stored in batch]),
        event.c.sequence > min(stored.loaded.events_after for stored in batch),
    )
    rows = tx.connection.execute(statement.order_by(event.c.complaint_id, event.c.ordinal)).all()
    return [EventRow(*row) for row in rows]


def find_parts(tx: Transaction, batch: Sequence[ComplaintRow]) -> dict[UUID, Parts]:
    """The rows of complaints in other tables, by complaint id."""
    complaints = [stored.loaded.complaint for stored in batch]
    parts = {one.id: Parts() for one in complaints}
    for row in _find_escalations(tx, parts):
        parts[row.owner_id].escalations.append(row)
    joined = select(escalation.c.complaint_id, escalation.c.id, escalation_recipient.c.login)
    joined = joined.join(escalation_recipient).where(any_of(escalation.c.complaint_id, parts))
    for complaint_id, escalation_id, login in tx.connection.execute(joined).all():
        parts[complaint_id].recipients[escalation_id].add(login)
    for link in find_links(tx, list(parts), scope=ALL_COMPLAINTS):
        parts[link["complaint_id"]].links.add((link["type"], str(link["other_id"])))
    _add_promises(tx, complaints, parts)
    _add_index(tx, complaints, parts)
    _add_external_ids(tx, complaints, parts)
    for complaint_id, texts in find_texts(tx, list(parts)).items():
        parts[complaint_id].texts = texts
    for complaint_id, words in find_digests(tx, list(parts)).items():
        parts[complaint_id].words = words
    for complaint_id, attachments in find_of_complaints(tx, list(parts)).items():
        parts[complaint_id].attachments = attachments
    return parts


def _add_index(tx: Transaction, complaints: Sequence[Complaint], parts: dict[UUID, Parts]) -> None:
    """What the indexes of tags and of full text have, and the persons that are found by them."""
    tagged = select(complaint_tag.c.complaint_id, complaint_tag.c.tag).where(
        any_of(complaint_tag.c.complaint_id, parts)
    )
    for complaint_id, tag in tx.connection.execute(tagged).all():
        parts[complaint_id].tags.add(tag)
    by_sequence = {one.sequence: one.id for one in complaints}
    for sequence, terms in find_terms(tx, by_sequence).items():
        parts[by_sequence[sequence]].terms = terms
    for complaint_id, rows in find_rows(tx, list(parts)).items():
        parts[complaint_id].persons = rows
    if (progress := find_progress(tx)) is not None:
        for one in complaints:
            if one.sequence > progress.after:
                parts[one.id].terms = None


def _add_external_ids(tx: Transaction, complaints: Sequence[Complaint], parts: dict[UUID, Parts]) -> None:
    """The rows of the external ids of each complaint."""
    named = [pair for one in complaints for pair in one.ids_by_system.items()]
    for start in range(0, len(named), _PAIRS_AT_ONCE):
        for system, name, holder in find_external_ids(tx, named[start : start + _PAIRS_AT_ONCE]):
            if holder in parts:
                parts[holder].external_ids.add((system, name))


def _add_promises(tx: Transaction, complaints: Sequence[Complaint], parts: dict[UUID, Parts]) -> None:
    owners = {d.id: one.id for one in complaints for d in one.deadlines if d.kind is DeadlineKind.PROMISE}
    for deadline_id, promise in find_promises(tx, owners).items():
        parts[owners[deadline_id]].promises[str(deadline_id)] = (promise.text, promise.made_by)


def _find_escalations(tx: Transaction, complaint_ids: Collection[UUID]) -> Iterator[EscalationRow]:
    """The escalations of complaints, ordered by complaint and planned time."""
    columns = escalation_columns(escalation.c.complaint_id)
    statement = select(*columns).where(any_of(escalation.c.complaint_id, complaint_ids))
    rows = tx.connection.execute(statement.order_by(escalation.c.complaint_id, escalation.c.planned_at)).all()
    return (EscalationRow(*row) for row in rows)


def find_gaps(tx: Transaction) -> list[tuple[int, int]]:
    """The missing numbers of events: the first and the last of each gap, at most 100 gaps.

    None on PostgreSQL, where honest numbers have gaps: a transaction that is rolled back does not give them back.
    """
    if tx.connection.dialect.name != "sqlite":
        return []
    [(count, last)] = tx.connection.execute(_NUMBERS_GIVEN)
    return [] if count == (last or 0) else [(first, last) for first, last in tx.connection.execute(_GAPS)]


_NUMBERS_GIVEN = text(
    "SELECT (SELECT count(*) FROM event), (SELECT seq FROM sqlite_sequence WHERE name = 'event')"
)
_GAPS = text("""
    SELECT before + 1, sequence - 1
    FROM (
        SELECT sequence, lag(sequence, 1, 0) OVER (ORDER BY sequence) AS before
        FROM (SELECT sequence FROM event UNION ALL SELECT seq + 1 FROM sqlite_sequence WHERE name = 'event')
    )
    WHERE sequence > before + 1
    LIMIT 100
""")


def count_cut_off(tx: Transaction) -> int:
    """The number of complaints that began before the first month that the history still has."""
    cut_off = complaint.c.events_after < months.horizon(tx)
    return tx.connection.execute(select(func.count()).select_from(complaint).where(cut_off)).scalar_one()


def count_complaints(tx: Transaction) -> int:
    """The number of all complaints."""
    return tx.connection.execute(select(func.count()).select_from(complaint)).scalar_one()
