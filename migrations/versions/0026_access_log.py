"""The log of accesses to persons in clear.

Revision: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None
oldest_program = "0014"


def upgrade() -> None:
    """Make the table. The program before this one does not know it."""
    op.create_table(
        "access_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=210), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_access_log__complaint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
    )
    op.create_index("ix_access_log__at", "access_log", ["at", "id"])
    op.create_index("ix_access_log__actor", "access_log", ["actor", "at", "id"])
    op.create_index("ix_access_log__complaint_id", "access_log", ["complaint_id", "at", "id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("access_log")
