"""Whole histories of many complaints, for simulations: the complaints of a period, and their events."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Select, and_, select

from complaints.domain.simulation.past import PastEvent, Period
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import audit
from complaints.storage.queries.audit import IdRange as IdRange
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.event import event
from complaints.storage.rows.person import COMPLAINANT, person

_c, _e = complaint.c, event.c


class HistoryHead(NamedTuple):
    """A complaint whose history is asked for, with the facts that no event has.

    `is_vulnerable` is None without a complainant. All its events have a number above `events_after`.
    """

    id: UUID
    sequence: int
    received_at: datetime
    is_imported: bool
    is_vulnerable: bool | None
    wake_at: datetime | None
    events_after: int


_HEADS: Select[Any] = select(
    _c.id,
    _c.sequence,
    _c.received_at,
    _c.import_id.is_not(None),
    person.c.vulnerable,
    _c.wake_at,
    _c.events_after,
).outerjoin(person, and_(person.c.complaint_id == _c.id, person.c.role == COMPLAINANT))


def find_ranges(tx: Transaction, period: Period, *, size: int) -> list[IdRange]:
    """Ranges of `size` complaints that were received in the period. The last one is open."""
    return audit.find_ranges(tx, *_received(period), size=size)


def find_heads(tx: Transaction, within: IdRange, period: Period) -> list[HistoryHead]:
    """The complaints of a range that were received in the period, ordered by id."""
    bounds = list(_received(period))
    if within.after is not None:
        bounds.append(_c.id > within.after)
    if within.up_to is not None:
        bounds.append(_c.id <= within.up_to)
    return _read(tx, _HEADS.where(*bounds).order_by(_c.id))


def find_heads_of(tx: Transaction, ids: Collection[UUID]) -> list[HistoryHead]:
    """The complaints with these ids, ordered by id."""
    return _read(tx, _HEADS.where(any_of(_c.id, ids)).order_by(_c.id))


def _received(period: Period) -> Sequence[ColumnElement[bool]]:
    return _c.received_at >= period.since, _c.received_at < period.until


def _read(tx: Transaction, statement: Select[Any]) -> list[HistoryHead]:
    return [HistoryHead(*row) for row in tx.connection.execute(statement)]


def find_events(tx: Transaction, heads: Sequence[HistoryHead]) -> dict[UUID, list[PastEvent]]:
    """The events of these complaints, oldest first, by complaint. Digests stand for texts."""
    if not heads:
        return {}
    statement = (
        select(_e.complaint_id, _e.sequence, _e.type, _e.version, _e.at, _e.actor, _e.data)
        .where(
            any_of(_e.complaint_id, [head.id for head in heads]),
            _e.sequence > min(head.events_after for head in heads),
        )
        .order_by(_e.complaint_id, _e.ordinal)
    )
    found: dict[UUID, list[PastEvent]] = {head.id: [] for head in heads}
    rows = tx.connection.execute(statement).all()
    for complaint_id, of_complaint in groupby(rows, key=itemgetter(0)):
        found[complaint_id] = [
            PastEvent(number, kind, version, at, actor, orjson.loads(data))
            for _, number, kind, version, at, actor, data in of_complaint
        ]
    return found
