"""Indexes that keep queries flat: lists by team, and counts of what is overdue or soon due from indexes alone.

The digest of imported rows is indexed only where there is one, so that intake pays for no index more than before.

Revision: 0003
Revises: 0002
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
oldest_program = "0002"

_OPEN = "overdue_after_at IS NOT NULL"
_UNMET = "status IN ('running', 'paused', 'breached')"


def _remake(name: str, table: str, columns: list[str], where: str | None, *, unique: bool = False) -> None:
    op.drop_index(name, table)
    _make(name, table, columns, where, unique=unique)


def _make(name: str, table: str, columns: list[str], where: str | None, *, unique: bool = False) -> None:
    predicate: dict[str, Any] = {}
    if where is not None:
        predicate = {"postgresql_where": sa.text(where), "sqlite_where": sa.text(where)}
    op.create_index(name, table, columns, unique=unique, **predicate)


def upgrade() -> None:
    due = ["overdue_after_at", "id", "team", "priority", "next_due_at"]
    _remake("ix_complaint__overdue", "complaint", due, _OPEN)
    clocks = ["kind", "due_at", "complaint_id", "status", "paused_until"]
    _remake("ix_deadline__unmet_by_kind", "deadline", clocks, _UNMET)
    digest = "import_digest IS NOT NULL"
    _remake("uq_complaint__import_digest", "complaint", ["import_digest"], digest, unique=True)
    _make("ix_complaint__team_received", "complaint", ["team", "received_at", "id"], None)


def downgrade() -> None:
    op.drop_index("ix_complaint__team_received", "complaint")
    _remake("uq_complaint__import_digest", "complaint", ["import_digest"], None, unique=True)
    _remake("ix_deadline__unmet_by_kind", "deadline", ["kind", "due_at", "complaint_id"], _UNMET)
    _remake("ix_complaint__overdue", "complaint", ["overdue_after_at", "id", "team", "priority"], _OPEN)
