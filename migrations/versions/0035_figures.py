"""The facts that figures count, and the exposures that complaints are set against.

Revision: 0035
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0032"
branch_labels = None
depends_on = None
oldest_program = "0014"

_IS_OPEN = "until_day IS NULL AND kind IN ('received', 'reopened')"


def upgrade() -> None:
    """Make the tables. They are empty: the follower of the figures reads the whole history."""
    op.create_table(
        "figure_fact",
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("team", sa.String(length=200), nullable=False),
        sa.Column("assignee", sa.String(length=200), nullable=True),
        sa.Column("first_owner", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=200), nullable=True),
        sa.Column("cause", sa.String(length=40), nullable=True),
        sa.Column("nature", sa.String(length=40), nullable=True),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("region", sa.String(length=200), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("is_imported", sa.Boolean(), nullable=False),
        sa.Column("is_merged", sa.Boolean(), nullable=False),
        sa.Column("received_day", sa.Integer(), nullable=False),
        sa.Column("until_day", sa.Integer(), nullable=True),
        sa.Column("response_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("response_in_time", sa.Boolean(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("in_time", sa.Boolean(), nullable=True),
        sa.Column("is_first", sa.Boolean(), nullable=True),
        sa.Column("is_good", sa.Boolean(), nullable=True),
        sa.Column("is_reopened", sa.Boolean(), nullable=True),
        sa.Column("is_handed_over", sa.Boolean(), nullable=True),
        sa.Column("is_omitted", sa.Boolean(), nullable=True),
        sa.Column("microseconds", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("csat", sa.SmallInteger(), nullable=True),
        sa.Column("nps", sa.SmallInteger(), nullable=True),
        sa.Column("level", sa.SmallInteger(), nullable=True),
        sa.Column("holder", sa.String(length=40), nullable=True),
        sa.Column("holder_team", sa.String(length=200), nullable=True),
        sa.Column("holder_person", sa.String(length=200), nullable=True),
        sa.Column("repeat_of", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_figure_fact__complaint_id")
        ),
        sa.PrimaryKeyConstraint("complaint_id", "kind", "place", name=op.f("pk_figure_fact")),
    )
    op.create_index("ix_figure_fact__day", "figure_fact", ["kind", "day"])
    for name, column, where in (
        ("ix_figure_fact__open", "day", _IS_OPEN),
        ("ix_figure_fact__until_day", "until_day", "until_day IS NOT NULL"),
        ("ix_figure_fact__repeat_of", "repeat_of", "repeat_of IS NOT NULL"),
    ):
        condition = sa.text(where)
        op.create_index(name, "figure_fact", [column], postgresql_where=condition, sqlite_where=condition)
    op.create_table(
        "figure_exposure",
        sa.Column("measure", sa.String(length=40), nullable=False),
        sa.Column("group_by", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("from_day", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=500), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=210), nullable=False),
        sa.CheckConstraint("value >= 0", name=op.f("ck_figure_exposure__value")),
        sa.PrimaryKeyConstraint("measure", "group_by", "key", "from_day", name=op.f("pk_figure_exposure")),
    )


def downgrade() -> None:
    """Drop the tables, and forget the place of their followers. Facts follow from the history; exposures are lost."""
    op.execute("DELETE FROM follower WHERE name IN ('reports', 'reports.rebuild')")
    op.drop_table("figure_exposure")
    op.drop_table("figure_fact")
