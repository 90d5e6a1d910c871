"""Keys can be rotated: the former secret works for a while. The last use of each key is kept beside it.

Revision: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None
oldest_program = "0014"


def upgrade() -> None:
    """A table of its own: the audit log holds every column of `api_key`, and a use is no change."""
    op.add_column("api_key", sa.Column("previous_digest", sa.String(length=64), nullable=True))
    op.add_column("api_key", sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "key_use",
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_key.id"], name=op.f("fk_key_use_key_id_api_key")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_key_use")),
    )


def downgrade() -> None:
    """Drop the columns and the table. Former secrets stop working."""
    op.drop_table("key_use")
    with op.batch_alter_table("api_key") as table:
        table.drop_column("previous_until")
        table.drop_column("previous_digest")
