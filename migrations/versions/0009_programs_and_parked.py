"""The oldest program that the schema allows, the program of each heartbeat, and an index of parked complaints.

Revision: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
oldest_program = "0008"


def upgrade() -> None:
    """The program before this one runs on the schema too: what it does not write has a default."""
    op.create_table(
        "schema_support",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("oldest_program", sa.String(length=32), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_schema_support__one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schema_support")),
    )
    # A process that does not say its revision runs the program before this migration.
    revision_column = sa.Column("revision", sa.String(length=32), nullable=False, server_default="0006")
    op.add_column("heartbeat", revision_column)
    op.add_column("heartbeat", sa.Column("sweeps", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_index(
        "ix_complaint__parked",
        "complaint",
        ["parked_at"],
        postgresql_where=sa.text("parked_at IS NOT NULL"),
        sqlite_where=sa.text("parked_at IS NOT NULL"),
    )


def downgrade() -> None:
    """As before."""
    op.drop_index("ix_complaint__parked", "complaint")
    for column in ("sweeps", "revision"):
        op.drop_column("heartbeat", column)
    op.drop_table("schema_support")
