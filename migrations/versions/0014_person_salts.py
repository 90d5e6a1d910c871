"""A person has a salt, with which the history has a digest of the person.

Revision: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
oldest_program = "0013"


def upgrade() -> None:
    """The program before this one leaves the salt as it is, and `check` then proves nothing about that person."""
    op.add_column("party", sa.Column("salt", sa.LargeBinary(length=16), nullable=True))


def downgrade() -> None:
    """Without salts. The digests stay in the history."""
    op.drop_column("party", "salt")
