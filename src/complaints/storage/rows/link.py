"""Links between complaints. A row belongs to the complaint that names the other."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, RowMapping, Table, delete, select

from complaints.domain.scope import ALL_COMPLAINTS, Scope
from complaints.domain.vocabulary import LinkType
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import metadata, one_of
from complaints.storage.database.upsert import insert_if_absent
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.scope_condition import condition

link = Table(
    "link",
    metadata,
    Column("complaint_id", ForeignKey("complaint.id"), primary_key=True),
    Column("type", one_of(LinkType), primary_key=True),
    Column("other_id", ForeignKey("complaint.id"), primary_key=True),
    CheckConstraint("complaint_id <> other_id", name="not_itself"),
    Index("ix_link__other_id", "other_id"),
)
k = link.c


_FOUND = (
    select(k.complaint_id, k.type, k.other_id, complaint.c.sequence)
    .join(complaint, complaint.c.id == k.other_id)
    .where(any_of(k.complaint_id))
    .order_by(k.complaint_id, k.type, k.other_id)
)


def find_links(tx: Transaction, complaint_ids: Collection[UUID], *, scope: Scope) -> Sequence[RowMapping]:
    """The links from any of these complaints to complaints within `scope`, with the sequence of the other one."""
    if not complaint_ids:
        return []
    statement = _FOUND if scope == ALL_COMPLAINTS else _FOUND.where(condition(scope, complaint))
    return tx.connection.execute(statement, {"ids": complaint_ids}).mappings().all()


def add_link(tx: Transaction, complaint_id: UUID, link_type: LinkType, other_id: UUID) -> bool:
    """Add a link. Returns False if it exists."""
    row = {"complaint_id": complaint_id, "type": link_type, "other_id": other_id}
    return insert_if_absent(tx, link, row)


def remove_link(tx: Transaction, complaint_id: UUID, link_type: LinkType, other_id: UUID) -> bool:
    """Remove a link. Returns False if there was none."""
    statement = delete(link).where(
        k.complaint_id == complaint_id, k.type == link_type, k.other_id == other_id
    )
    return tx.connection.execute(statement).rowcount == 1


def has_merged(tx: Transaction, complaint_id: UUID) -> bool:
    """True if another complaint was merged into this one."""
    statement = select(complaint.c.id).where(complaint.c.merged_into == complaint_id).limit(1)
    return tx.connection.execute(statement).first() is not None
