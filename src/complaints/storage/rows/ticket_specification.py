"""What a trouble ticket specification of TMF621 has and its category has not."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Table

from complaints.storage.database.types import UtcDateTime, metadata

ticket_specification = Table(
    "ticket_specification",
    metadata,
    Column("category", ForeignKey("category.code"), primary_key=True),
    Column("members", JSON, nullable=False),
    Column("is_deleted", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
"""`members` are those of version 5, as callers sent them. `is_deleted`: the category is retired, and not
shown there.
"""
