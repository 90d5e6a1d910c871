"""The followers of the history: a row per follower says which events it has handled.

Revision: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
oldest_program = "0004"


def upgrade() -> None:
    """A new table only: the program before this one runs on the schema too."""
    op.create_table(
        "follower",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("after >= 0", name=op.f("ck_follower__after")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_follower")),
    )


def downgrade() -> None:
    """Without followers."""
    op.drop_table("follower")
