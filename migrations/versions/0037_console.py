"""The preferences of users, their saved views, and the drafts of their forms.

Revision: 0037
Revises: 0036
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None
oldest_program = "0014"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables. The program before this one does not know them."""
    op.create_table(
        "user_preference",
        sa.Column("login", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=True),
        sa.Column("theme", sa.String(length=8), nullable=True),
        sa.Column("single_keys", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["login"], ["user_account.login"], name=op.f("fk_user_preference__login")),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_user_preference")),
    )
    _make_saved_views()
    _make_drafts()


def _make_saved_views() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("team", sa.String(length=200), nullable=True),
        sa.Column("is_home", sa.Boolean(), nullable=False),
        sa.Column("saved_at", _INSTANT, nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_saved_view__name")),
        sa.ForeignKeyConstraint(["owner"], ["user_account.login"], name=op.f("fk_saved_view__owner")),
        sa.ForeignKeyConstraint(["team"], ["team.code"], name=op.f("fk_saved_view__team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
    )
    op.create_index("ix_saved_view__owner", "saved_view", ["owner"])
    op.create_index("ix_saved_view__team", "saved_view", ["team"])


def _make_drafts() -> None:
    op.create_table(
        "draft",
        sa.Column("login", sa.String(length=200), nullable=False),
        sa.Column("form", sa.String(length=100), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("saved_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_draft__complaint_id")),
        sa.ForeignKeyConstraint(["login"], ["user_account.login"], name=op.f("fk_draft__login")),
        sa.PrimaryKeyConstraint("login", "form", name=op.f("pk_draft")),
    )
    op.create_index("ix_draft__complaint_id", "draft", ["complaint_id"])
    op.create_index("ix_draft__saved_at", "draft", ["saved_at"])


def downgrade() -> None:
    """Drop the tables. What users typed and saved is gone."""
    for name in ("draft", "saved_view", "user_preference"):
        op.drop_table(name)
