"""Kept answers stay in their row, on PostgreSQL.

By itself it compresses every row of more than 2 kB, under the lock that orders commits; an answer is hardly more and is
deleted after two days.

Revision: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
oldest_program = "0003"


def upgrade() -> None:
    """Rows of up to a page are neither compressed nor moved."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE idempotency SET (toast_tuple_target = 8160)")


def downgrade() -> None:
    """As it ships."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE idempotency RESET (toast_tuple_target)")
