"""The progress of users who leave.

Revision: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None
oldest_program = "0014"


def upgrade() -> None:
    """Make the table. The program before this one does not know it: with it a user leaves in one call."""
    op.create_table(
        "leaving",
        sa.Column("login", sa.String(length=200), nullable=False),
        sa.Column("successor", sa.String(length=200), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.String(length=210), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("0 <= done AND done <= total", name=op.f("ck_leaving__progress")),
        sa.ForeignKeyConstraint(["login"], ["user_account.login"], name=op.f("fk_leaving__login")),
        sa.ForeignKeyConstraint(["successor"], ["user_account.login"], name=op.f("fk_leaving__successor")),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_leaving")),
    )


def downgrade() -> None:
    """Drop the table. Complaints that are not handed over yet stay where they are until the next step of a ladder."""
    op.drop_table("leaving")
