"""The texts of events stand in a table of their own, and the history has salted digests of them.

Revision: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
oldest_program = "0014"


def upgrade() -> None:
    """Events that are there keep their texts. The program before this one writes such events on this schema.

    It works with newer events too, and its timeline shows digests in place of texts. Its command `check` calls
    those digests a difference between state and history: use the command of the newest program.
    """
    if sa.inspect(op.get_bind()).has_table("event_text"):
        return  # left by a step back
    op.create_table(
        "event_text",
        sa.Column("complaint_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("texts", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(complaint_id IS NULL) <> (subject_id IS NULL)", name=op.f("ck_event_text__one_owner")
        ),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_event_text__complaint_id")),
        sa.UniqueConstraint("complaint_id", "ordinal", name=op.f("uq_event_text__complaint_id_ordinal")),
    )
    op.create_index(
        "ix_event_text__subject_id",
        "event_text",
        ["subject_id", "ordinal"],
        unique=True,
        postgresql_where=sa.text("subject_id IS NOT NULL"),
        sqlite_where=sa.text("subject_id IS NOT NULL"),
    )


def downgrade() -> None:
    """The table stays: without it, the texts of events would be lost. The program before does not read it."""
