"""A complaint keeps the reasons that raised its priority.

Revision: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
oldest_program = "0007"


def upgrade() -> None:
    """The program before this one leaves the column empty: then no reason is known."""
    op.add_column("complaint", sa.Column("priority_raised_by", sa.String(length=200), nullable=True))


def downgrade() -> None:
    """Without the reasons. The priorities stay."""
    op.drop_column("complaint", "priority_raised_by")
