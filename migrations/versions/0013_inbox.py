"""Escalations that still wait for somebody, repeating steps, and idempotency keys of requests in several parts.

Revision: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
oldest_program = "0012"

_WAITS = "acknowledged_at IS NULL AND settled_at IS NULL"

# An escalation is settled if its deadline need not be met any more, or if its complaint has ended.
_SETTLE = """
UPDATE escalation SET settled_at = (
    SELECT coalesce(deadline.met_at, complaint.ended_at, complaint.updated_at)
    FROM complaint LEFT JOIN deadline ON deadline.id = escalation.deadline_id
    WHERE complaint.id = escalation.complaint_id
)
WHERE EXISTS (
    SELECT 1 FROM deadline
    WHERE deadline.id = escalation.deadline_id AND deadline.status IN ('met', 'met_late', 'cancelled')
)
OR EXISTS (
    SELECT 1 FROM complaint
    WHERE complaint.id = escalation.complaint_id
    AND complaint.status IN ('closed', 'rejected', 'withdrawn', 'merged')
)
"""

_TAKE_FROM_INBOXES = """
UPDATE escalation_recipient SET waiting = false WHERE escalation_id IN (
    SELECT id FROM escalation WHERE acknowledged_at IS NOT NULL OR settled_at IS NOT NULL
)
"""


def upgrade() -> None:
    """The program before this one runs on the schema too: every new column has a value that it need not write."""
    op.add_column("escalation", sa.Column("settled_at", sa.DateTime(timezone=True)))
    op.add_column(
        "escalation_recipient",
        sa.Column("waiting", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
    op.add_column(
        "deadline", sa.Column("repetitions", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("deadline", sa.Column("acknowledged_at", sa.DateTime(timezone=True)))
    _change_key_length(255, 260)
    op.execute(_SETTLE)
    op.execute(_TAKE_FROM_INBOXES)
    op.drop_index("ix_escalation__unacknowledged", table_name="escalation")
    _partial_index("ix_escalation__waiting", "escalation", ["taken_at", "id"], _WAITS)
    _partial_index(
        "ix_escalation_recipient__waiting", "escalation_recipient", ["login", "escalation_id"], "waiting"
    )


def downgrade() -> None:
    """Nothing of the history is lost: the events tell which steps were settled."""
    op.drop_index("ix_escalation_recipient__waiting", table_name="escalation_recipient")
    op.drop_index("ix_escalation__waiting", table_name="escalation")
    _partial_index(
        "ix_escalation__unacknowledged", "escalation", ["taken_at", "id"], "acknowledged_at IS NULL"
    )
    op.execute("DELETE FROM idempotency WHERE length(key) > 255")
    _change_key_length(260, 255)
    for table, name in (
        ("deadline", "acknowledged_at"),
        ("deadline", "repetitions"),
        ("escalation_recipient", "waiting"),
        ("escalation", "settled_at"),
    ):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name, table, columns, unique=False, postgresql_where=sa.text(where), sqlite_where=sa.text(where)
    )


def _change_key_length(before: int, after: int) -> None:
    with op.batch_alter_table("idempotency") as batch:
        batch.alter_column(
            "key", existing_type=sa.String(before), type_=sa.String(after), existing_nullable=False
        )
