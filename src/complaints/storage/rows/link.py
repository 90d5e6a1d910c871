"""Links between complaints and other subjects. A row belongs to the complaint or subject that names the other."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    RowMapping,
    Table,
    UniqueConstraint,
    delete,
    or_,
    select,
)

from complaints.domain.complaint.subject import COMPLAINT_KIND, SubjectName
from complaints.domain.scope import ALL_COMPLAINTS, Scope
from complaints.domain.vocabulary import LinkType
from complaints.storage.database.any_of import any_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import metadata, one_of, one_subject
from complaints.storage.database.upsert import insert_if_absent
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.scope_condition import condition, subject_condition
from complaints.storage.rows.subject import NAME_COLUMNS, name_of, subject

link = Table(
    "link",
    metadata,
    Column("complaint_id", ForeignKey("complaint.id")),
    Column("subject_id", ForeignKey("subject.id")),
    Column("type", one_of(LinkType), nullable=False),
    Column("other_id", ForeignKey("complaint.id")),
    Column("other_subject_id", ForeignKey("subject.id")),
    UniqueConstraint("complaint_id", "type", "other_id"),
    one_subject(),
    CheckConstraint("(other_id IS NULL) <> (other_subject_id IS NULL)", name="one_other"),
    CheckConstraint("complaint_id <> other_id", name="not_itself"),
    CheckConstraint("subject_id <> other_subject_id", name="subject_not_itself"),
    Index("ix_link__other_id", "other_id"),
)
k = link.c


def _partial(name: str, *columns: Any, where: Any, unique: bool = False) -> None:
    Index(name, *columns, unique=unique, postgresql_where=where, sqlite_where=where)


# Partial, so that links between complaints stand in none of them.
_partial(
    "uq_link__subject_id_type_other_id",
    k.subject_id, k.type, k.other_id,
    where=k.subject_id.is_not(None) & k.other_id.is_not(None), unique=True,
)  # fmt: skip
_partial(
    "uq_link__subject_id_type_other_subject_id",
    k.subject_id, k.type, k.other_subject_id,
    where=k.subject_id.is_not(None) & k.other_subject_id.is_not(None), unique=True,
)  # fmt: skip
_partial("ix_link__other_subject_id", k.other_subject_id, where=k.other_subject_id.is_not(None))


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


def find_links_to(tx: Transaction, complaint_id: UUID, *, scope: Scope, limit: int) -> Sequence[RowMapping]:
    """The links to a complaint from up to `limit` complaints within `scope`, with the sequence of the other one."""
    statement = (
        select(k.type, k.complaint_id, complaint.c.sequence)
        .join(complaint, complaint.c.id == k.complaint_id)
        .where(k.other_id == complaint_id, condition(scope, complaint))
        .order_by(complaint.c.sequence)
        .limit(limit)
    )
    return tx.connection.execute(statement).mappings().all()


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


def add_subject_link(tx: Transaction, subject_id: UUID, link_type: LinkType, other: SubjectName) -> bool:
    """Add a link of a subject that is no complaint to a complaint or subject. Returns False if it exists."""
    return insert_if_absent(tx, link, {"subject_id": subject_id, "type": link_type, **_other(other)})


def remove_subject_link(tx: Transaction, subject_id: UUID, link_type: LinkType, other: SubjectName) -> bool:
    """Remove a link of a subject that is no complaint. Returns False if there was none."""
    found = [k.subject_id == subject_id, k.type == link_type]
    found += [k[name] == value for name, value in _other(other).items()]
    return tx.connection.execute(delete(link).where(*found)).rowcount == 1


def _other(other: SubjectName) -> dict[str, UUID]:
    return {"other_id" if other.kind == COMPLAINT_KIND else "other_subject_id": other.id}


def find_subject_links(
    tx: Transaction, subject_ids: Collection[UUID], *, scope: Scope
) -> list[tuple[UUID, LinkType, SubjectName]]:
    """The links of subjects that are no complaints to what is within `scope`: subject id, type, and the other."""
    statement = (
        select(
            k.subject_id.label("owner_id"), k.type, k.other_id.label("complaint_id"),
            k.other_subject_id.label("subject_id"), *NAME_COLUMNS,
        )
        .outerjoin(complaint, complaint.c.id == k.other_id)
        .outerjoin(subject, subject.c.id == k.other_subject_id)
        .where(any_of(k.subject_id, subject_ids), or_(condition(scope, complaint), subject_condition(scope)))
        .order_by(k.subject_id, k.type, k.other_id, k.other_subject_id)
    )  # fmt: skip
    rows = tx.connection.execute(statement).mappings()
    return [(row["owner_id"], row["type"], name_of(row)) for row in rows]


def has_merged(tx: Transaction, complaint_id: UUID) -> bool:
    """True if another complaint was merged into this one."""
    statement = select(complaint.c.id).where(complaint.c.merged_into == complaint_id).limit(1)
    return tx.connection.execute(statement).first() is not None
