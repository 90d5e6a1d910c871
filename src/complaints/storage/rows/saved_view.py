"""Views of lists that users saved: filters, order and columns under a name."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, String, Table, Text, Uuid

from complaints.storage.database.types import UtcDateTime, metadata

saved_view = Table(
    "saved_view",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("page", String(40), nullable=False),
    Column("query", Text, nullable=False),
    Column("owner", ForeignKey("user_account.login"), nullable=False),
    Column("team", ForeignKey("team.code")),
    Column("is_home", Boolean, nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
    CheckConstraint("name <> ''", name="name"),
    Index("ix_saved_view__owner", "owner"),
    Index("ix_saved_view__team", "team"),
)
"""`query` is the query string of the page. `team`: its members see the view too; None: it is for `owner` alone.
`is_home`: the view is the first page of `owner`.
"""
