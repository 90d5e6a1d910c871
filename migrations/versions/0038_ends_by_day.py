"""Open and ended complaints are found with the day on which each began, so a past backlog reads its own rows only.

Revision: 0038
Revises: 0037
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None
oldest_program = "0014"

_IS_OPEN, _HAS_END = "until_day IS NULL AND kind IN ('received', 'reopened')", "until_day IS NOT NULL"


def upgrade() -> None:
    """Put a second column into both indexes. The program before this one uses them as it used the old ones."""
    _make("ix_figure_fact__open", ["kind", "day"], _IS_OPEN)
    _make("ix_figure_fact__until_day", ["until_day", "day"], _HAS_END)


def downgrade() -> None:
    """Make the old indexes."""
    _make("ix_figure_fact__open", ["day"], _IS_OPEN)
    _make("ix_figure_fact__until_day", ["until_day"], _HAS_END)


def _make(name: str, columns: list[str], where: str) -> None:
    op.drop_index(name, "figure_fact")
    condition = sa.text(where)
    op.create_index(name, "figure_fact", columns, postgresql_where=condition, sqlite_where=condition)
