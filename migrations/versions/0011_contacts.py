"""External ids by system, the words that were told, the last unreachable contact, the secret of the installation.

Revision: 0011
Revises: 0010
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
oldest_program = "0009"

_COLUMNS = ("words_digest", "unreachable_at", "external_ids")


def upgrade() -> None:
    """Only additions, without a scan of complaints: the program before this one runs on the schema too."""
    op.add_column("complaint", sa.Column("external_ids", sa.JSON(), nullable=True))
    op.add_column("complaint", sa.Column("unreachable_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("complaint", sa.Column("words_digest", sa.LargeBinary(length=32), nullable=True))
    op.create_table(
        "complaint_external_id",
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("system", sa.String(length=200), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_complaint_external_id__complaint_id")
        ),
        sa.PrimaryKeyConstraint("external_id", "system", name=op.f("pk_complaint_external_id")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contact_digest",
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_contact_digest__complaint_id")
        ),
        sa.PrimaryKeyConstraint("complaint_id", "digest", name=op.f("pk_contact_digest")),
        sqlite_with_rowid=False,
    )
    installation = op.create_table(
        "installation",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation__one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.bulk_insert(installation, [{"id": 1, "secret": secrets.token_bytes(32)}])


def downgrade() -> None:
    """External ids of further systems and the digests are lost."""
    for table in ("installation", "contact_digest", "complaint_external_id"):
        op.drop_table(table)
    for column in _COLUMNS:
        op.drop_column("complaint", column)
