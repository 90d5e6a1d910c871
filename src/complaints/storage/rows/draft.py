"""Drafts: the content of forms that users have not sent yet."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table, Uuid, delete, select, tuple_

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata
from complaints.storage.database.upsert import insert_or_update

draft = Table(
    "draft",
    metadata,
    Column("login", ForeignKey("user_account.login"), primary_key=True),
    Column("form", String(100), primary_key=True),
    Column("complaint_id", Uuid, ForeignKey("complaint.id")),
    Column("fields", JSON, nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
    Index("ix_draft__complaint_id", "complaint_id"),
    Index("ix_draft__saved_at", "saved_at"),
)
"""`form` names the form: `new`, or the id of the complaint, a colon and the action. `fields` has its values by name."""
d = draft.c


@dataclass(frozen=True, slots=True)
class FormDraft:
    """The fields of one form that a user has filled in and not sent. `complaint_id` None: of no complaint."""

    login: str
    form: str
    complaint_id: UUID | None
    fields: dict[str, str]
    saved_at: datetime


def find_draft(tx: Transaction, login: str, form: str) -> FormDraft | None:
    """The draft of a user for a form."""
    row = tx.connection.execute(select(draft).where(d.login == login, d.form == form)).first()
    return FormDraft(**row._mapping) if row is not None else None


def write_draft(tx: Transaction, written: FormDraft, *, most: int) -> None:
    """Keep a draft in place of the one before. Of one user, the latest `most` are kept."""
    insert_or_update(tx, draft, {name: getattr(written, name) for name in FormDraft.__slots__})
    latest = select(d.form).where(d.login == written.login).order_by(d.saved_at.desc(), d.form)
    older = tx.connection.execute(latest.offset(most)).scalars().all()
    if older:
        tx.connection.execute(delete(draft).where(d.login == written.login, d.form.in_(older)))


def delete_draft(tx: Transaction, login: str, form: str) -> None:
    """Delete the draft of a user for a form, if there is one."""
    tx.connection.execute(delete(draft).where(d.login == login, d.form == form))


def delete_drafts_of(tx: Transaction, complaint_id: UUID) -> None:
    """Delete the drafts of all users for the forms of a complaint."""
    tx.connection.execute(delete(draft).where(d.complaint_id == complaint_id))


def forget_drafts(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete up to `limit` drafts older than `before`, and return how many they were. Locked drafts are left."""
    old = select(d.login, d.form).where(d.saved_at < before).order_by(d.saved_at).limit(limit)
    names = [tuple(row) for row in tx.connection.execute(old.with_for_update(skip_locked=True))]
    if not names:
        return 0
    return tx.connection.execute(delete(draft).where(tuple_(d.login, d.form).in_(names))).rowcount
