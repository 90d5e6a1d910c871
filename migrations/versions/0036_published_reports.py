"""Published reports, their schedules, who hears of them, and the layouts of operators.

Revision: 0036
Revises: 0035
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None
oldest_program = "0014"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables. The program before this one does not know them."""
    op.create_table(
        "published_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("coverage", sa.String(length=220), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("teams", sa.JSON(), nullable=True),
        sa.Column("published_at", _INSTANT, nullable=False),
        sa.Column("published_by", sa.String(length=210), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("snapshot", sa.JSON(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_published_report__version")),
        sa.CheckConstraint("(version = 1) = (reason IS NULL)", name=op.f("ck_published_report__reason")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_published_report")),
        sa.UniqueConstraint("period", "coverage", "version", name="uq_published_report__period"),
    )
    op.create_index("ix_published_report__published_at", "published_report", ["published_at", "id"])
    _make_schedules()
    op.create_table(
        "report_recipient",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("added_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"], ["published_report.id"], name=op.f("fk_report_recipient__report_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_recipient")),
        sa.UniqueConstraint("report_id", "login", name="uq_report_recipient__report_id"),
    )
    op.create_index("ix_report_recipient__added_at", "report_recipient", ["added_at", "id"])
    op.create_table(
        "report_layout",
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.Column("updated_by", sa.String(length=210), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_report_layout")),
    )


def _make_schedules() -> None:
    op.create_table(
        "report_schedule",
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("coverage", sa.String(length=220), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("recipients", sa.JSON(), nullable=False),
        sa.Column("hours_after", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("begins_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.CheckConstraint("hours_after >= 0", name=op.f("ck_report_schedule__hours_after")),
        sa.CheckConstraint("kind IN ('month', 'quarter')", name=op.f("ck_report_schedule__period_kind")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_report_schedule")),
    )
    op.create_table(
        "report_run",
        sa.Column("schedule", sa.String(length=100), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("ran_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["schedule"], ["report_schedule.code"], name=op.f("fk_report_run__schedule")),
        sa.ForeignKeyConstraint(
            ["report_id"], ["published_report.id"], name=op.f("fk_report_run__report_id")
        ),
        sa.PrimaryKeyConstraint("schedule", "period", name=op.f("pk_report_run")),
    )


def downgrade() -> None:
    """Drop the tables, with every published report."""
    for name in ("report_layout", "report_recipient", "report_run", "report_schedule", "published_report"):
        op.drop_table(name)
