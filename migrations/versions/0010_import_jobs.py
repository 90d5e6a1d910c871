"""Imports are claimed, go on at an offset in the file, can be stopped, and keep no file after their end.

Revision: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
oldest_program = "0009"


def _new_columns() -> list[sa.Column]:
    return [
        sa.Column("columns", sa.JSON(), nullable=True),
        sa.Column("repeats", sa.LargeBinary(), nullable=True),
        sa.Column("place_row", sa.Integer(), server_default="0", nullable=False),
        sa.Column("place_byte", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claimed_by", sa.String(length=200), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stops_with_key", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("stopped_because", sa.Text(), nullable=True),
    ]


_CHECKS = {
    "ck_import_job__status": "status IN ('running', 'completed', 'stopped')",
    "ck_import_job__finished_at": "(status = 'running') = (finished_at IS NULL)",
    "ck_import_job__stopped_because": "(status = 'stopped') = (stopped_because IS NOT NULL)",
}
_OLD_CHECKS = {
    "ck_import_job__status": "status IN ('running', 'completed')",
    "ck_import_job__finished_at": "(status = 'completed') = (finished_at IS NOT NULL)",
}
_ADDS_UP = {"ck_import_job__adds_up": "done = accepted + duplicates + failed AND done <= rows"}


def _import_job(checks: dict[str, str], columns: list[sa.Column]) -> sa.Table:
    """The table on SQLite, which changes a CHECK only by a copy of the whole table."""
    return sa.Table(
        "import_job",
        sa.MetaData(),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("charset", sa.String(length=40), nullable=True),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("key_name", sa.String(length=200), nullable=False),
        sa.Column("key_roles", sa.JSON(), nullable=False),
        sa.Column("login", sa.String(length=200), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        *columns,
        *(sa.CheckConstraint(check, name=op.f(name)) for name, check in {**checks, **_ADDS_UP}.items()),
        sa.ForeignKeyConstraint(["login"], ["user_account.login"], name=op.f("fk_import_job__login")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_job")),
        sa.Index(
            "ix_import_job__running", "created_at", sqlite_where=sa.text("status = 'running'"), unique=False
        ),
    )


def _rebuild(checks: dict[str, str], columns: list[sa.Column], *, dropped: list[str]) -> None:
    copied = _import_job(checks, columns)
    with op.batch_alter_table("import_job", copy_from=copied, recreate="always") as batch:
        for name in dropped:
            batch.drop_column(name)


def upgrade() -> None:
    """The program before this one runs on the schema too. Files of imports that have ended are emptied."""
    jobs = sa.table("import_job", sa.column("status", sa.String), sa.column("content", sa.LargeBinary))
    op.execute(jobs.update().where(jobs.c.status == "completed").values(content=b""))
    for column in _new_columns():
        op.add_column("import_job", column)
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(_CHECKS, _new_columns(), dropped=[])
        return
    for name in _OLD_CHECKS:
        op.drop_constraint(op.f(name), "import_job", type_="check")
    for name, check in _CHECKS.items():
        op.create_check_constraint(op.f(name), "import_job", check)


def downgrade() -> None:
    """An import that was stopped counts as completed: the program before knows no other end."""
    names = [column.name for column in _new_columns()]
    if op.get_bind().dialect.name == "sqlite":
        _rebuild({}, _new_columns(), dropped=names)
        op.execute("UPDATE import_job SET status = 'completed' WHERE status = 'stopped'")
        _rebuild(_OLD_CHECKS, [], dropped=[])
        return
    for name in _CHECKS:
        op.drop_constraint(op.f(name), "import_job", type_="check")
    op.execute("UPDATE import_job SET status = 'completed' WHERE status = 'stopped'")
    for name in names:
        op.drop_column("import_job", name)
    for name, check in _OLD_CHECKS.items():
        op.create_check_constraint(op.f(name), "import_job", check)
