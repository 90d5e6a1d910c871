"""Histories as they are stored, with events of the first form among those of the second."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from secrets import token_bytes

from sqlalchemy import select, update

from complaints.domain.complaint.change import Event
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.history import (
    GENESIS,
    ChainedEvent,
    HistoryEnd,
    canonical,
    chain,
    chained_digest,
)
from complaints.domain.complaint.texts import join_texts
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import complaint as complaint_table
from complaints.storage.rows.event import event
from complaints.storage.rows.event_text import delete_texts, find_texts


def new_salt() -> bytes:
    return token_bytes(16)


def chain_in_forms(
    events: Iterable[Event], first_form: Collection[int], end: HistoryEnd | None = None
) -> list[ChainedEvent]:
    """Chain events as the database has them; those with the ordinals `first_form` as older programs wrote them."""
    end, made = end or HistoryEnd(), []
    for one in events:
        [chained], next_end = chain(end, [one], new_salt)
        if chained.ordinal in first_form:
            data = canonical(one.data)
            digest = chained_digest(end.digest, chained.ordinal, one, data)
            chained, next_end = (
                ChainedEvent(chained.ordinal, one, data, digest),
                HistoryEnd(chained.ordinal, digest),
            )
        made.append(replace(chained, event=replace(one, data=json.loads(chained.data))))
        end = next_end
    return made


def write_in_first_form(tx: Transaction, complaint: Complaint, ordinals: Collection[int]) -> None:
    """Rewrite the events of a complaint with these ordinals as older programs wrote them, and chain all again."""
    statement = select(event).where(event.c.complaint_id == complaint.id).order_by(event.c.ordinal)
    rows = tx.connection.execute(statement).mappings().all()
    texts = find_texts(tx, [complaint.id])[complaint.id]
    digest = GENESIS
    for row in rows:
        data = row["data"]
        if row["ordinal"] in ordinals and row["ordinal"] in texts:
            data = canonical(join_texts(row["type"], json.loads(data), texts[row["ordinal"]].texts))
        written = Event(row["type"], row["version"], row["at"], row["actor"], {})
        digest = chained_digest(digest, row["ordinal"], written, data)
        changed = update(event).where(event.c.sequence == row["sequence"])
        tx.connection.execute(changed.values(data=data, digest=digest))
    delete_texts(tx, complaint.id, ordinals)
    own = update(complaint_table).where(complaint_table.c.id == complaint.id)
    tx.connection.execute(own.values(history_digest=digest))


def end_of(history: Sequence[ChainedEvent]) -> HistoryEnd:
    return HistoryEnd(history[-1].ordinal, history[-1].digest)
