"""The texts of events, a row for each event that has texts. The history holds their salted digests alone.

The table is not partitioned, and a month that is detached leaves its texts here: so they can still be erased.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    delete,
    select,
)

from complaints.domain.complaint.history import ChainedEvent, canonical
from complaints.domain.complaint.texts import SALT_BYTES, EventTexts, Texts
from complaints.storage.database.any_of import any_of
from complaints.storage.database.bulk import Inserts
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import metadata

event_text = Table(
    "event_text",
    metadata,
    Column("complaint_id", ForeignKey("complaint.id")),
    Column("subject_id", ForeignKey("subject.id")),
    Column("ordinal", Integer, nullable=False),
    Column("salt", LargeBinary(SALT_BYTES), nullable=False),
    Column("texts", Text, nullable=False),  # JSON: the texts by their place in the event
    UniqueConstraint("complaint_id", "ordinal"),
    CheckConstraint("(complaint_id IS NULL) <> (subject_id IS NULL)", name="one_owner"),
)
t = event_text.c
Index(
    "ix_event_text__subject_id",
    t.subject_id,
    t.ordinal,
    unique=True,
    postgresql_where=t.subject_id.is_not(None),
    sqlite_where=t.subject_id.is_not(None),
)


def insert_texts(
    inserts: Inserts, events: Iterable[tuple[UUID, ChainedEvent]], *, of_subjects: bool = False
) -> None:
    """Insert the texts of new events; `events` are pairs of a complaint's id and an event.

    With `of_subjects`: of another subject's id.
    """
    owner = "subject_id" if of_subjects else "complaint_id"
    rows = [
        {
            owner: owner_id,
            "ordinal": event.ordinal,
            "salt": event.texts.salt,
            "texts": canonical(event.texts.texts),
        }
        for owner_id, event in events
        if event.texts is not None
    ]
    inserts.add(event_text, rows)


def find_texts(
    tx: Transaction, owner_ids: Collection[UUID], *, of_subjects: bool = False
) -> dict[UUID, dict[int, EventTexts]]:
    """The texts of the events of complaints, by complaint and ordinal. With `of_subjects`: of other subjects."""
    owner = _owner(of_subjects)
    statement = select(owner, t.ordinal, t.salt, t.texts).where(any_of(owner, owner_ids))
    found: dict[UUID, dict[int, EventTexts]] = defaultdict(dict)
    for owner_id, ordinal, salt, texts in tx.connection.execute(statement):
        found[owner_id][ordinal] = EventTexts(salt, read_texts(texts))
    return found


def _owner(of_subjects: bool) -> ColumnElement[UUID]:
    return t.subject_id if of_subjects else t.complaint_id


def read_texts(stored: str | None) -> Texts:
    """Texts from the column `texts`; none from NULL, which a join gives for an event without a row."""
    texts: Texts = json.loads(stored) if stored else {}
    return texts


def delete_texts(tx: Transaction, complaint_id: UUID, ordinals: Collection[int]) -> None:
    """Delete the texts of these events of a complaint."""
    tx.connection.execute(delete(event_text).where(t.complaint_id == complaint_id, t.ordinal.in_(ordinals)))
