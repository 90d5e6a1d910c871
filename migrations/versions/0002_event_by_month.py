"""The history by month: on PostgreSQL `event` is partitioned by ranges of its numbers, a range a month.

The table there is becomes the first partition as it stands, so no row is moved: all that is written up to the end of
this month goes there. A complaint learns which number its events come after; for those there are it is 0, which
holds for any.

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
oldest_program = "0001"

_NUMBERS_A_MONTH = 10**10
_KEYS = {
    "pk_event": "PRIMARY KEY (sequence)",
    "uq_event__complaint_id_ordinal": "UNIQUE (complaint_id, ordinal)",
    "fk_event__complaint_id": "FOREIGN KEY (complaint_id) REFERENCES complaint (id)",
}


def upgrade() -> None:
    """To months."""
    op.add_column(
        "complaint", sa.Column("events_after", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    )
    if op.get_bind().dialect.name != "postgresql":
        return
    numbered = "coalesce(pg_sequence_last_value('event_sequence_seq'::regclass), 0::bigint)"
    op.execute(f"ALTER TABLE complaint ALTER events_after SET DEFAULT {numbered}")
    month = _current_month()
    first = f"event_{month // 100}_{month % 100:02}"
    op.execute(f"ALTER TABLE event RENAME TO {first}")
    for key in (
        "pk_event",
        "uq_event__complaint_id_ordinal",
    ):  # their indexes' names are taken in the whole schema
        op.execute(f"ALTER TABLE {first} RENAME CONSTRAINT {key} TO {key.replace('event', first)}")
    op.execute(
        f"CREATE TABLE event (LIKE {first} INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (sequence)"
    )
    _add_keys("pk_event", "fk_event__complaint_id")
    op.execute("ALTER SEQUENCE event_sequence_seq OWNED BY event.sequence")
    end = _month_after(month) * _NUMBERS_A_MONTH
    op.execute(f"ALTER TABLE event ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ({end})")


def _current_month() -> int:
    """The month it is, as 202611; or that of the last number, where a test clock or a downgrade left it ahead."""
    both = "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')::int, last_value / :numbers FROM event_sequence_seq"
    return max(op.get_bind().execute(sa.text(both), {"numbers": _NUMBERS_A_MONTH}).one())


def _month_after(month: int) -> int:
    return month + (89 if month % 100 == 12 else 1)


def _add_keys(*names: str) -> None:
    for name in names:
        op.execute(f"ALTER TABLE event ADD CONSTRAINT {name} {_KEYS[name]}")


def downgrade() -> None:
    """Back to one table, with what was detached where it is still there."""
    if op.get_bind().dialect.name == "postgresql":
        _gather()
    op.drop_column("complaint", "events_after")


def _gather() -> None:
    months = op.get_bind().execute(
        sa.text(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
            r" AND tablename ~ '^event_\d{4}_\d\d$' ORDER BY tablename"
        )
    )
    names = list(months.scalars())
    op.execute("CREATE TABLE event_whole (LIKE event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    op.execute("ALTER SEQUENCE event_sequence_seq OWNED BY event_whole.sequence")
    for name in names:
        op.execute(f"INSERT INTO event_whole SELECT * FROM {name}")  # noqa: S608 - our own names
    op.execute("DROP TABLE event")
    for name in names:
        op.execute(f"DROP TABLE IF EXISTS {name}")
    op.execute("ALTER TABLE event_whole RENAME TO event")
    _add_keys(*_KEYS)
