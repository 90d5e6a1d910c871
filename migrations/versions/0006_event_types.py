"""New types of events need no migration: the program alone says which types there are.

Revision: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
oldest_program = "0005"

_TYPES = (
    "complaint.created",
    "complaint.updated",
    "complaint.assigned",
    "complaint.responded",
    "complaint.held",
    "complaint.resumed",
    "complaint.resolved",
    "complaint.result_notified",
    "complaint.contact_recorded",
    "complaint.reopened",
    "complaint.closed",
    "complaint.rejected",
    "complaint.withdrawn",
    "complaint.merged",
    "complaint.note_added",
    "complaint.linked",
    "complaint.unlinked",
    "complaint.replanned",
    "complaint.contact_repeated",
    "promise.made",
    "promise.kept",
    "complaint.escalated",
    "escalation.acknowledged",
    "deadline.warning",
    "deadline.breached",
    "deadline.met",
    "follow_up.due",
)


def _event(*checks: sa.CheckConstraint) -> sa.Table:
    """The table on SQLite, which can drop and add a CHECK only by a copy of the whole table."""
    return sa.Table(
        "event",
        sa.MetaData(),
        sa.Column("sequence", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=210), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_event__complaint_id")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_event")),
        sa.UniqueConstraint("complaint_id", "ordinal", name=op.f("uq_event__complaint_id_ordinal")),
        *checks,
        sqlite_autoincrement=True,
    )


def upgrade() -> None:
    """The program before this one runs on the schema too: it writes only types that it knows."""
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("event", copy_from=_event(), recreate="always"):
            pass
        return
    for table in ("event", *_months()):
        op.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT IF EXISTS ck_event__event_type')


def downgrade() -> None:
    """With the CHECK. An event of a newer type is refused: nothing of the history is lost."""
    allowed = ", ".join(f"'{name}'" for name in _TYPES)
    if op.get_bind().dialect.name == "sqlite":
        check = sa.CheckConstraint(f"type IN ({allowed})", name=op.f("ck_event__event_type"))
        with op.batch_alter_table("event", copy_from=_event(check), recreate="always"):
            pass
        return
    op.execute(f"ALTER TABLE event ADD CONSTRAINT ck_event__event_type CHECK (type IN ({allowed}))")


def _months() -> list[str]:
    """The partitions of the history on PostgreSQL."""
    names = sa.text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'event'::regclass")
    return list(op.get_bind().execute(names).scalars())
