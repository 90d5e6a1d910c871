"""The duty rotas of teams, whose turn it is in a team, and the index of its queue.

Revision: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
oldest_program = "0014"

_QUEUE = "ix_complaint__queue"
_WAITING = sa.text("assignee IS NULL AND overdue_after_at IS NOT NULL")


def upgrade() -> None:
    """Two tables without rows, and an index of the open complaints without assignee."""
    op.create_table(
        "duty_rota",
        sa.Column("team", sa.String(length=200), nullable=False),
        sa.Column("shifts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["team"], ["team.code"], name="fk_duty_rota__team__team"),
        sa.PrimaryKeyConstraint("team", name="pk_duty_rota"),
    )
    op.create_table(
        "assignment_turn",
        sa.Column("team", sa.String(length=200), nullable=False),
        sa.Column("login", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("team", name="pk_assignment_turn"),
    )
    columns = ["team", "overdue_after_at", "id"]
    op.create_index(_QUEUE, "complaint", columns, postgresql_where=_WAITING, sqlite_where=_WAITING)


def downgrade() -> None:
    """Drop them. The rotas are lost; the audit log keeps their entries."""
    op.drop_index(_QUEUE, "complaint")
    op.drop_table("assignment_turn")
    op.drop_table("duty_rota")
