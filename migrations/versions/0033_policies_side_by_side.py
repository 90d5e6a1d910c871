"""The rule that chose the policy of a complaint.

Revision: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None
oldest_program = "0014"


def upgrade() -> None:
    """Add the column. The program before this one leaves it NULL: one policy held for every complaint."""
    op.add_column("complaint", sa.Column("policy_chosen_by", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop the column. The events of the complaints keep what it said."""
    op.drop_column("complaint", "policy_chosen_by")
