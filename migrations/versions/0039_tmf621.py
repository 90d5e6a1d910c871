"""What TMF621 needs: deleted tickets, specifications, subscriptions in its form, and outcomes that nobody named.

Revision: 0039
Revises: 0038
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None
oldest_program = "0014"

_FORMAT = "format IN ('standard', 'cloudevents')"


def upgrade() -> None:
    """Make two tables and add three columns. The program before this one does not know them."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("LOCK TABLE complaint, figure_fact, webhook")
    op.create_table(
        "deleted_ticket",
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_deleted_ticket__complaint_id")
        ),
        sa.PrimaryKeyConstraint("complaint_id", name=op.f("pk_deleted_ticket")),
    )
    op.create_table(
        "ticket_specification",
        sa.Column("category", sa.String(length=200), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["category"], ["category.code"], name=op.f("fk_ticket_specification__category")
        ),
        sa.PrimaryKeyConstraint("category", name=op.f("pk_ticket_specification")),
    )
    with op.batch_alter_table("webhook") as table:
        table.drop_constraint(op.f("ck_webhook__format"), type_="check")
        table.add_column(sa.Column("query", sa.String(length=2000), nullable=True))
    op.add_column("complaint", sa.Column("outcome_assumed", sa.Boolean(), nullable=True))
    op.add_column("figure_fact", sa.Column("is_assumed", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Drop them. Subscriptions in the form of TMF621 go, because the program before this one cannot send it."""
    op.drop_column("figure_fact", "is_assumed")
    op.drop_column("complaint", "outcome_assumed")
    webhook = sa.table("webhook", sa.column("id", sa.Uuid()), sa.column("format", sa.String()))
    of_tmf621 = sa.select(webhook.c.id).where(webhook.c.format.not_in(["standard", "cloudevents"]))
    for name in ("webhook_attempt", "webhook_delivery"):
        table = sa.table(name, sa.column("webhook_id", sa.Uuid()))
        op.execute(sa.delete(table).where(table.c.webhook_id.in_(of_tmf621)))
    op.execute(sa.delete(webhook).where(webhook.c.id.in_(of_tmf621)))
    with op.batch_alter_table("webhook") as table:
        table.drop_column("query")
        table.create_check_constraint(op.f("ck_webhook__format"), _FORMAT)
    op.drop_table("ticket_specification")
    op.drop_table("deleted_ticket")
