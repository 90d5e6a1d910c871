"""The tables of the history take subjects of every kind: a row belongs to a complaint or to another subject.

Revision: 0018
Revises: 0017
"""

import re
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
oldest_program = "0014"

_TABLES = ("event", "escalation", "deadline", "link")
_ONE_SUBJECT = "(complaint_id IS NULL) <> (subject_id IS NULL)"
_LINK_CHECKS = {
    "one_other": "(other_id IS NULL) <> (other_subject_id IS NULL)",
    "subject_not_itself": "subject_id <> other_subject_id",
}
# An annex adds kinds of deadlines: the program alone says which there are.
_KIND_CHECK = "ck_escalation__deadline_kind"
_KINDS = "kind IN ('first_response', 'resolution', 'follow_up', 'closure', 'promise')"
_KEY = ("subject_id", "kind", "cycle", "sequence", "attempt")
_OF_SUBJECTS = "subject_id IS NOT NULL"
_PARTIAL_INDEXES = (
    ("uq_deadline__subject_id_kind_cycle_sequence_attempt", "deadline", _KEY, _OF_SUBJECTS),
    ("ix_escalation__subject_id", "escalation", ("subject_id", "taken_at"), _OF_SUBJECTS),
    (
        "uq_link__subject_id_type_other_id",
        "link",
        ("subject_id", "type", "other_id"),
        "subject_id IS NOT NULL AND other_id IS NOT NULL",
    ),
    (
        "uq_link__subject_id_type_other_subject_id",
        "link",
        ("subject_id", "type", "other_subject_id"),
        "subject_id IS NOT NULL AND other_subject_id IS NOT NULL",
    ),
    ("ix_link__other_subject_id", "link", ("other_subject_id",), "other_subject_id IS NOT NULL"),
)
_EVENT_KEY = "uq_event__subject_id_ordinal"
# The texts of events have the column already. Now it refers to something.
_TEXTS, _OF_TEXTS = "event_text", "fk_event_text__subject_id"


def upgrade() -> None:
    """The program before this one runs on the schema too: it writes complaints only, and reads none of the others."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"LOCK TABLE {', '.join(_TABLES)}")
    _make_subject()
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(_widened)
        _partial_index(_EVENT_KEY, "event", ("subject_id", "ordinal"), _OF_SUBJECTS)
    else:
        _widen()
    for name, table, columns, where in _PARTIAL_INDEXES:
        _partial_index(name, table, columns, where)


def _make_subject() -> None:
    numbered = "0"
    if op.get_bind().dialect.name == "postgresql":
        numbered = "coalesce(pg_sequence_last_value('event_sequence_seq'::regclass), 0::bigint)"
    op.create_table(
        "subject",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("team", sa.String(length=200), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("policy_code", sa.String(length=200), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("wake_at", sa.DateTime(timezone=True)),
        sa.Column("parked_at", sa.DateTime(timezone=True)),
        sa.Column("history_count", sa.Integer(), nullable=False),
        sa.Column("history_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("events_after", sa.BigInteger(), server_default=sa.text(numbered), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_subject__version")),
        sa.CheckConstraint("cycle >= 1", name=op.f("ck_subject__cycle")),
        sa.CheckConstraint("ended_at IS NULL OR wake_at IS NULL", name=op.f("ck_subject__ended_is_still")),
        sa.ForeignKeyConstraint(["team"], ["team.code"], name=op.f("fk_subject__team")),
        sa.ForeignKeyConstraint(["owner"], ["user_account.login"], name=op.f("fk_subject__owner")),
        sa.ForeignKeyConstraint(
            ["policy_code", "policy_version"],
            ["policy.code", "policy.version"],
            name=op.f("fk_subject__policy_code_policy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subject")),
        sa.UniqueConstraint("kind", "sequence", name=op.f("uq_subject__kind_sequence")),
        sa.UniqueConstraint("number", name=op.f("uq_subject__number")),
    )
    _partial_index(
        "ix_subject__wake", "subject", ("wake_at", "id"), "wake_at IS NOT NULL AND parked_at IS NULL"
    )
    _partial_index("ix_subject__parked", "subject", ("parked_at",), "parked_at IS NOT NULL")
    _partial_index("ix_subject__open_by_owner", "subject", ("owner", "id"), "ended_at IS NULL")
    op.create_index("ix_subject__team", "subject", ["team", "id"])


# PostgreSQL: changes of the catalogue alone. A foreign key on a new column without a value needs no look at the rows.


def _widen() -> None:
    for table in _TABLES:
        name = f"fk_{table}__subject_id"
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN subject_id UUID CONSTRAINT {name} REFERENCES subject (id)"
        )
    op.execute(
        "ALTER TABLE link ADD COLUMN other_subject_id UUID"
        " CONSTRAINT fk_link__other_subject_id REFERENCES subject (id)"
    )
    op.execute("ALTER TABLE link DROP CONSTRAINT pk_link")
    op.execute("ALTER TABLE link ALTER other_id DROP NOT NULL")
    op.execute(
        "ALTER TABLE link ADD CONSTRAINT uq_link__complaint_id_type_other_id UNIQUE (complaint_id, type, other_id)"
    )
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ALTER complaint_id DROP NOT NULL")
        _check(table, "one_subject", _ONE_SUBJECT)
    for name, condition in _LINK_CHECKS.items():
        _check("link", name, condition)
    op.execute(f"ALTER TABLE escalation DROP CONSTRAINT {_KIND_CHECK}")
    op.execute(
        f"ALTER TABLE {_TEXTS} ADD CONSTRAINT {_OF_TEXTS}"
        " FOREIGN KEY (subject_id) REFERENCES subject (id) NOT VALID"
    )
    for month in _months_in_use():
        op.execute(
            f"CREATE UNIQUE INDEX {month}_subject_id_ordinal_key ON {month} (subject_id, ordinal)"
            f" WHERE {_OF_SUBJECTS}"
        )


def _check(table: str, name: str, condition: str) -> None:
    """A CHECK that holds for new rows. The next migration looks at the old rows."""
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}__{name} CHECK ({condition}) NOT VALID")


def _months_in_use() -> list[str]:
    """The partitions that may still get an event. A month that is made later copies the indexes of the last one."""
    bounds = sa.text(
        "SELECT inhrelid::regclass::text, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits"
        " JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'event'::regclass"
    )
    last = op.get_bind().execute(sa.text("SELECT last_value FROM event_sequence_seq")).scalar_one()
    found = op.get_bind().execute(bounds).all()
    return [name for name, bound in found if int(bound.rpartition("TO (")[2].strip("')")) > last]


def _detached_months() -> list[str]:
    """The months that were detached since the upgrade: they too refer to subjects."""
    found = sa.text(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND NOT c.relispartition"
        r" AND c.relname ~ '^event_\d{4}_\d\d$' AND a.attname = 'subject_id' AND NOT a.attisdropped"
    )
    return list(op.get_bind().execute(found).scalars())


# SQLite: copies of the tables in a new form. The indexes of a table go with it, and are made again. -------------------

_COPIED = (*_TABLES, _TEXTS)
_Edits = tuple[tuple[str, str], ...]  # a text of the old form, and the text of the new form in its place


def _edits(table: str) -> _Edits:
    if table == _TEXTS:
        refers = f", \n\tCONSTRAINT {_OF_TEXTS} FOREIGN KEY(subject_id) REFERENCES subject (id)"
        return (("\n)", f"{refers}\n)"),)
    end = f", \n\tCONSTRAINT fk_{table}__subject_id FOREIGN KEY(subject_id) REFERENCES subject (id)"
    end += f", \n\tCONSTRAINT ck_{table}__one_subject CHECK ({_ONE_SUBJECT})"
    own: _Edits = ()
    if table == "link":
        end += (
            ", \n\tCONSTRAINT fk_link__other_subject_id FOREIGN KEY(other_subject_id) REFERENCES subject (id)"
        )
        for name, condition in _LINK_CHECKS.items():
            end += f", \n\tCONSTRAINT ck_link__{name} CHECK ({condition})"
        own = (
            ("other_id CHAR(32) NOT NULL", "other_id CHAR(32), \n\tother_subject_id CHAR(32)"),
            ("pk_link PRIMARY KEY (complaint_id", "uq_link__complaint_id_type_other_id UNIQUE (complaint_id"),
        )
    return (
        ("\tcomplaint_id CHAR(32) NOT NULL", "\tcomplaint_id CHAR(32), \n\tsubject_id CHAR(32)"),
        *own,
        ("\n)", f"{end}\n)"),
    )


def _widened(table: str, form: str) -> str:
    for old, new in _edits(table):
        form = new.join(form.rsplit(old, 1))
    return re.sub(rf", \n\tCONSTRAINT {_KIND_CHECK} CHECK \([^()]*\([^()]*\)\)", "", form)


def _narrowed(table: str, form: str) -> str:
    for old, new in _edits(table):
        form = old.join(form.rsplit(new, 1))
    check = f", \n\tCONSTRAINT {_KIND_CHECK} CHECK ({_KINDS})\n)"
    return check.join(form.rsplit("\n)", 1)) if table == "escalation" else form


def _rebuild(change: Callable[[str, str], str]) -> None:
    indexes = _indexes()
    for table in _COPIED:
        _copy_table(table, change)
    for statement in indexes:
        op.execute(statement)


def _indexes() -> list[str]:
    names = ", ".join(f"'{table}'" for table in _COPIED)
    found = op.get_bind().exec_driver_sql(
        f"SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({names})"  # noqa: S608
    )
    return [sql for (sql,) in found.all()]


def _copy_table(table: str, change: Callable[[str, str], str]) -> None:
    connection = op.get_bind()
    made = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
    before = connection.exec_driver_sql(made, (table,)).scalar_one()
    form = change(table, before)
    connection.exec_driver_sql(
        re.sub(rf'CREATE TABLE "?{table}"?', f"CREATE TABLE new_{table}", form, count=1)
    )
    numbered = "FROM sqlite_sequence WHERE name = ?"
    last = connection.exec_driver_sql(f"SELECT seq {numbered}", (table,)).scalar()
    kept = _columns(table) & _columns(f"new_{table}")
    listed = ", ".join(f'"{name}"' for name in sorted(kept))
    connection.exec_driver_sql(f"INSERT INTO new_{table} ({listed}) SELECT {listed} FROM {table}")  # noqa: S608
    connection.exec_driver_sql(f"DROP TABLE {table}")
    connection.exec_driver_sql(f"ALTER TABLE new_{table} RENAME TO {table}")
    if last is not None:  # else the number of a row that was deleted would be given again
        connection.exec_driver_sql(f"DELETE {numbered}", (table,))
        connection.exec_driver_sql("INSERT INTO sqlite_sequence VALUES (?, ?)", (table, last))


def _columns(table: str) -> set[str]:
    return {row[1] for row in op.get_bind().exec_driver_sql(f"PRAGMA table_info({table})")}


def _partial_index(name: str, table: str, columns: Sequence[str], where: str) -> None:
    is_unique, condition = name.startswith("uq_"), sa.text(where)
    op.create_index(
        name, table, list(columns), unique=is_unique, postgresql_where=condition, sqlite_where=condition
    )


def downgrade() -> None:
    """To complaints alone. With a row of another subject it is refused: that row would be lost."""
    for name, table, _, _ in _PARTIAL_INDEXES:
        op.drop_index(name, table_name=table)
    op.execute(
        "DELETE FROM escalation_recipient"
        " WHERE escalation_id IN (SELECT id FROM escalation WHERE subject_id IS NOT NULL)"
    )
    for table in (*_TABLES, _TEXTS):
        op.execute(f"DELETE FROM {table} WHERE subject_id IS NOT NULL")  # noqa: S608
    op.execute("DELETE FROM link WHERE other_subject_id IS NOT NULL")
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index(_EVENT_KEY, table_name="event")
        _rebuild(_narrowed)
    else:
        _narrow()
    op.drop_table("subject")


def _narrow() -> None:
    op.execute("ALTER TABLE link DROP CONSTRAINT uq_link__complaint_id_type_other_id")
    for name in _LINK_CHECKS:
        op.execute(f"ALTER TABLE link DROP CONSTRAINT ck_link__{name}")
    for table in (*_TABLES, *_detached_months()):
        # the CHECK and the foreign key go with the column
        op.execute(f"ALTER TABLE {table} DROP COLUMN subject_id")
        op.execute(f"ALTER TABLE {table} ALTER complaint_id SET NOT NULL")
    op.execute("ALTER TABLE link DROP COLUMN other_subject_id")
    op.execute("ALTER TABLE link ALTER other_id SET NOT NULL")
    op.execute("ALTER TABLE link ADD CONSTRAINT pk_link PRIMARY KEY (complaint_id, type, other_id)")
    op.execute(f"ALTER TABLE escalation ADD CONSTRAINT {_KIND_CHECK} CHECK ({_KINDS})")
    op.execute(f"ALTER TABLE {_TEXTS} DROP CONSTRAINT {_OF_TEXTS}")
