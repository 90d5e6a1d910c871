"""The audit log of the configuration.

Revision: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
oldest_program = "0006"


def upgrade() -> None:
    """A new table only: the program before this one runs on the schema too, and records nothing in it."""
    op.create_table(
        "audit_event",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=210), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=220), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_event")),
    )
    op.create_index("ix_audit_event__subject", "audit_event", ["subject", "code", "sequence"])


def downgrade() -> None:
    """Without the audit log."""
    op.drop_index("ix_audit_event__subject", "audit_event")
    op.drop_table("audit_event")
