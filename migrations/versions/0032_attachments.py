"""The attachments of complaints, without their bytes.

Revision: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None
oldest_program = "0014"

_WAITING = "status = 'quarantined' AND finding IS NULL AND erased_at IS NULL"
_TO_EMPTY = "erased_at IS NOT NULL AND emptied_at IS NULL"


def upgrade() -> None:
    """Make the table. The program before this one does not know it: its `check` knows no event of attachments."""
    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("media_type", sa.String(length=127), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("visibility", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(length=210), nullable=False),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finding", sa.String(length=200), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("emptied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scan_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scan_failures", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("size >= 0", name=op.f("ck_attachment__size")),
        sa.CheckConstraint(
            "(erased_at IS NULL) = (name IS NOT NULL)", name=op.f("ck_attachment__erased_name")
        ),
        sa.CheckConstraint(
            "emptied_at IS NULL OR erased_at IS NOT NULL", name=op.f("ck_attachment__emptied_at")
        ),
        sa.CheckConstraint("finding IS NULL OR status = 'quarantined'", name=op.f("ck_attachment__finding")),
        sa.CheckConstraint(
            "status IN ('unscanned', 'quarantined', 'clean')",
            name=op.f("ck_attachment__attachment_status"),
        ),
        sa.CheckConstraint("visibility IN ('internal', 'public')", name=op.f("ck_attachment__visibility")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_attachment__complaint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index("ix_attachment__complaint_id", "attachment", ["complaint_id", "id"])
    for name, column, where in (
        ("ix_attachment__waiting", "scan_after", sa.text(_WAITING)),
        ("ix_attachment__to_empty", "erased_at", sa.text(_TO_EMPTY)),
    ):
        op.create_index(name, "attachment", [column], postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    """Drop the table. The bytes stay in the store; without a row they are swept when the schema is newer again."""
    op.drop_table("attachment")
