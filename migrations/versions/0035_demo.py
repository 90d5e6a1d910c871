"""The mark of a database that holds made-up data.

Revision: 0035
Revises: 0034
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None
oldest_program = "0014"

_BOTH = "(demo_seed IS NULL) = (demo_until IS NULL)"


def upgrade() -> None:
    """Add two columns that are empty in every database but a demo. Older programs do not know them."""
    with op.batch_alter_table("installation") as table:
        table.add_column(sa.Column("demo_seed", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("demo_until", sa.DateTime(timezone=True), nullable=True))
        table.create_check_constraint(op.f("ck_installation__demo"), _BOTH)


def downgrade() -> None:
    """Drop the mark. The made-up data stays."""
    with op.batch_alter_table("installation") as table:
        table.drop_constraint(op.f("ck_installation__demo"), type_="check")
        table.drop_column("demo_until")
        table.drop_column("demo_seed")
