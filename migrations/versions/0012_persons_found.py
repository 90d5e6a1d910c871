"""Persons are compared by stricter forms and found by full text; lists are filtered by more members.

Revision: 0012
Revises: 0011
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
oldest_program = "0011"

_INDEXES = (
    ("ix_party__account_normal", "party", ["account_normal"], "account_normal IS NOT NULL"),
    ("ix_complaint__ended", "complaint", ["ended_at", "id"], "ended_at IS NOT NULL"),
    ("ix_complaint__csat", "complaint", ["csat", "id"], "csat IS NOT NULL"),
    ("ix_deadline__met_late", "deadline", ["complaint_id"], "status = 'met_late'"),
)


def upgrade() -> None:
    """New columns may be null, so the program before this one runs on the schema too.

    Complaints from before are indexed again afterwards, in small transactions: see `storage.rows.reindexing`.
    """
    op.add_column("party", sa.Column("phone_extension", sa.String(length=10), nullable=True))
    op.add_column("party", sa.Column("account_normal", sa.String(length=200), nullable=True))
    for name, table, columns, where in _INDEXES:
        predicate: dict[str, Any] = {"postgresql_where": sa.text(where), "sqlite_where": sa.text(where)}
        op.create_index(name, table, columns, **predicate)
    op.create_table(
        "reindexing",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_reindexing")),
    )
    op.execute(
        "INSERT INTO reindexing (name, after) SELECT 'persons', 0 WHERE EXISTS (SELECT 1 FROM complaint)"
    )


def downgrade() -> None:
    """Terms of persons stay in the index: no query of the program before this one asks for them."""
    op.drop_table("reindexing")
    for name, table, _columns, _where in reversed(_INDEXES):
        op.drop_index(name, table)
    op.drop_column("party", "account_normal")
    op.drop_column("party", "phone_extension")
