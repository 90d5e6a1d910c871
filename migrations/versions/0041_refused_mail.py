"""The mails that the server of the mailbox did not show, and that are tried again.

Revision: 0041
Revises: 0040
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None
oldest_program = "0014"


def upgrade() -> None:
    """Only a new table: no program of before looks at it."""
    op.create_table(
        "refused_mail",
        sa.Column("mailbox", sa.String(500), nullable=False),
        sa.Column("validity", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", "validity", "uid", name=op.f("pk_refused_mail")),
    )


def downgrade() -> None:
    """The table goes: the mails are still in the mailbox."""
    op.drop_table("refused_mail")
