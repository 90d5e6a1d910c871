"""Drafts: the content of forms that users have not sent yet."""

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table, Uuid

from complaints.storage.database.types import UtcDateTime, metadata

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
