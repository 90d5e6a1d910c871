"""The mails that were taken from the mailbox.

Revision: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None
oldest_program = "0014"


def upgrade() -> None:
    """Only a new table: no program of before looks at it."""
    op.create_table(
        "received_mail",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("mailbox", sa.String(500), nullable=False),
        sa.Column("validity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.String(200)),
        sa.Column("digest", sa.LargeBinary(32)),
        sa.Column("sender_digest", sa.LargeBinary(32)),
        sa.Column("fate", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(200)),
        sa.Column("complaint_id", sa.Uuid(), sa.ForeignKey("complaint.id")),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("files_kept", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("mailbox", "validity", "uid", name="uq_received_mail__uid"),
        sa.CheckConstraint("files_kept >= 0 AND files_kept <= files", name="files"),
        sa.CheckConstraint(
            "fate NOT IN ('complaint', 'contact') OR complaint_id IS NOT NULL", name="complaint"
        ),
        sa.CheckConstraint(
            "fate IN ('complaint', 'contact', 'bounce', 'automatic', 'loop', 'duplicate', 'quarantined')",
            name="mail_fate",
        ),
    )
    op.create_index("ix_received_mail__digest", "received_mail", ["digest"])
    op.create_index("ix_received_mail__sender", "received_mail", ["sender_digest", "taken_at"])
    op.create_index("ix_received_mail__complaint_id", "received_mail", ["complaint_id"])
    op.create_index(
        "ix_received_mail__unfinished",
        "received_mail",
        ["mailbox", "validity", "uid"],
        postgresql_where=sa.text("files_kept < files"),
        sqlite_where=sa.text("files_kept < files"),
    )


def downgrade() -> None:
    """The table goes with its mails: they are still in the mailbox."""
    op.drop_table("received_mail")
