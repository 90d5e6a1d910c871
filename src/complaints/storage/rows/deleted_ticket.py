"""Complaints that a caller of TMF621 deleted: they are withdrawn, and that interface does not show them any more."""

from uuid import UUID

from sqlalchemy import Column, ColumnElement, ForeignKey, Integer, Table, exists, select

from complaints.domain.vocabulary import Status
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import metadata
from complaints.storage.database.upsert import insert_or_update
from complaints.storage.rows.complaint import complaint

deleted_ticket = Table(
    "deleted_ticket",
    metadata,
    Column("complaint_id", ForeignKey("complaint.id"), primary_key=True),
    Column("cycle", Integer, nullable=False),
)
"""`cycle` is the round in which the complaint was withdrawn. A complaint that is reopened is a ticket again."""
t, c = deleted_ticket.c, complaint.c
IS_DELETED: ColumnElement[bool] = (c.status == Status.WITHDRAWN) & exists().where(
    t.complaint_id == c.id, t.cycle == c.cycle
)
"""The condition on a row of `complaint` that it is withdrawn because its ticket was deleted."""


def note_deleted(tx: Transaction, complaint_id: UUID, cycle: int) -> None:
    """Note that a complaint was withdrawn by deleting its ticket."""
    insert_or_update(tx, deleted_ticket, {"complaint_id": complaint_id, "cycle": cycle})


def is_deleted(tx: Transaction, complaint_id: UUID) -> bool:
    """True if the complaint is withdrawn because its ticket was deleted."""
    found = tx.connection.execute(select(c.id).where(c.id == complaint_id, IS_DELETED)).first()
    return found is not None
