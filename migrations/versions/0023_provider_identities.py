"""Users sign in by OpenID Connect: the identity of a user at the provider, and the sign-ins that were used.

Revision: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None
oldest_program = "0014"


def upgrade() -> None:
    """Only new tables: no program of before looks at them."""
    op.create_table(
        "provider_identity",
        sa.Column("login", sa.String(200), sa.ForeignKey("user_account.login"), primary_key=True),
        sa.Column("issuer", sa.String(500)),
        sa.Column("subject", sa.String(255)),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("linked_by", sa.String(210), nullable=False),
        sa.UniqueConstraint("issuer", "subject"),
        sa.CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="whole"),
    )
    op.create_table(
        "used_sign_in",
        sa.Column("state_digest", sa.String(64), primary_key=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_used_sign_in__expires_at", "used_sign_in", ["expires_at"])


def downgrade() -> None:
    """Drop the tables. An administrator has to link the users again."""
    op.drop_table("used_sign_in")
    op.drop_table("provider_identity")
