"""Users sign in: passwords with their links, sessions, and counts of failed sign-ins.

Revision: 0022
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None
oldest_program = "0014"

_TABLES = ("user_password", "session", "failed_sign_in")


def upgrade() -> None:
    """Only new tables: no program of before looks at them."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "user_password",
        sa.Column("login", sa.String(200), sa.ForeignKey("user_account.login"), primary_key=True),
        sa.Column("hash", sa.String(200)),
        sa.Column("changed_at", instant),
        sa.Column("link_digest", sa.String(64), unique=True),
        sa.Column("link_expires_at", instant),
        sa.Column("link_made_by", sa.String(210)),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("login", sa.String(200), sa.ForeignKey("user_account.login"), nullable=False),
        sa.Column("token_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("method", sa.String(40), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(200), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("seen_at", instant, nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.Column("ended_at", instant),
        sa.Column("ended_by", sa.String(210)),
    )
    op.create_index("ix_session__login", "session", ["login"])
    op.create_index("ix_session__expires_at", "session", ["expires_at"])
    op.create_table(
        "failed_sign_in",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("failed_at", instant, nullable=False),
    )
    op.create_index("ix_failed_sign_in__failed_at", "failed_sign_in", ["failed_at"])


def downgrade() -> None:
    """Drop the tables. Everybody has to sign in again, with a new password."""
    for name in reversed(_TABLES):
        op.drop_table(name)
