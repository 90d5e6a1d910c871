"""The CHECKs that a row belongs to one subject are proved for the rows of before.

Revision: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
oldest_program = "0014"

_CHECKS = {
    "event": ("one_subject",),
    "deadline": ("one_subject",),
    "escalation": ("one_subject",),
    "link": ("one_subject", "one_other", "subject_not_itself"),
}


def upgrade() -> None:
    """PostgreSQL reads the tables once. SQLite checked the rows as it copied them."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE event_text VALIDATE CONSTRAINT fk_event_text__subject_id")
    for table, names in _CHECKS.items():
        for name in names:
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}__{name}")


def downgrade() -> None:
    """A CHECK that was proved stays so."""
