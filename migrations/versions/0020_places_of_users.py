"""Users get roles, teams and a scope of their own.

Revision: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
oldest_program = "0014"

_LISTS = ("roles", "teams", "scope_names")


def upgrade() -> None:
    """Keys of the users there are saw every complaint. They still do, until somebody gives them another scope."""
    for name in _LISTS:
        op.add_column("user_account", sa.Column(name, sa.JSON(), nullable=True))
    op.add_column("user_account", sa.Column("scope", sa.String(length=40), nullable=True))
    op.execute("UPDATE user_account SET scope = 'all'")


def downgrade() -> None:
    """Drop the columns."""
    with op.batch_alter_table("user_account") as table:
        for name in (*_LISTS, "scope"):
            table.drop_column(name)
