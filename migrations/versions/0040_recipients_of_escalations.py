"""The recipients of an escalation are found by an index, so a check of a batch no longer reads the whole table.

Revision: 0040
Revises: 0039
"""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None
oldest_program = "0014"


def upgrade() -> None:
    """Make the index. The program before this one need not know it."""
    op.create_index(
        "ix_escalation_recipient__escalation_id", "escalation_recipient", ["escalation_id", "login"]
    )


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_escalation_recipient__escalation_id", "escalation_recipient")
