"""Complaints and deadlines refer to reference data without foreign keys, and their words are no CHECK lists.

Reference data is never deleted, and `complaints check` looks for a reference or a word that does not exist.

Revision: 0016
Revises: 0015
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
oldest_program = "0014"


def _one_of(column: str, *words: str) -> str:
    listed = ", ".join(f"'{word}'" for word in words)
    return f"CHECK ({column} IN ({listed}))"


_POLICY = "FOREIGN KEY(policy_code, policy_version) REFERENCES policy (code, version)"
_CONSTRAINTS = {
    "complaint": {
        "fk_complaint__assignee": "FOREIGN KEY(assignee) REFERENCES user_account (login)",
        "fk_complaint__category": "FOREIGN KEY(category) REFERENCES category (code)",
        "fk_complaint__first_owner": "FOREIGN KEY(first_owner) REFERENCES user_account (login)",
        "fk_complaint__policy_code_policy_version": _POLICY,
        "fk_complaint__team": "FOREIGN KEY(team) REFERENCES team (code)",
        "ck_complaint__status": _one_of(
            "status",
            "received",
            "investigating",
            "on_hold",
            "resolved",
            "following_up",
            "closed",
            "rejected",
            "withdrawn",
            "merged",
        ),
        "ck_complaint__channel": _one_of(
            "channel",
            "phone",
            "web",
            "app",
            "email",
            "sms",
            "social",
            "on_site",
            "letter",
            "regulator",
            "import",
            "api",
        ),
        "ck_complaint__severity": _one_of("severity", "critical", "high", "normal", "low"),
        "ck_complaint__cause": _one_of("cause", "technical", "service", "management"),
        "ck_complaint__nature": _one_of("nature", "technical", "process", "personnel", "environment"),
        "ck_complaint__outcome": _one_of("outcome", "upheld", "partly_upheld", "not_upheld"),
        "ck_complaint__contact_outcome": _one_of("contact_outcome", "solved", "not_solved", "unreachable"),
    },
    "deadline": {
        "fk_deadline__policy_code_policy_version": _POLICY,
        "ck_deadline__deadline_kind": _one_of(
            "kind", "first_response", "resolution", "follow_up", "closure", "promise"
        ),
        "ck_deadline__deadline_status": _one_of(
            "status", "running", "paused", "met", "breached", "met_late", "cancelled"
        ),
    },
}


def upgrade() -> None:
    """No row is read or written. The program before this one runs on the schema too."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("LOCK TABLE complaint, deadline, category, policy, team, user_account")
    for table, constraints in _CONSTRAINTS.items():
        if op.get_bind().dialect.name == "sqlite":
            _rewrite(table, dropped=constraints)
        else:
            dropped = ", ".join(f"DROP CONSTRAINT {name}" for name in constraints)
            op.execute(f"ALTER TABLE {table} {dropped}")


def downgrade() -> None:
    """With the constraints. A row that breaks one of them is refused."""
    for table, constraints in _CONSTRAINTS.items():
        if op.get_bind().dialect.name == "sqlite":
            _rewrite(table, added=constraints)
        else:
            added = ", ".join(f"ADD CONSTRAINT {name} {rule}" for name, rule in constraints.items())
            op.execute(f"ALTER TABLE {table} {added}")


def _rewrite(
    table: str, *, dropped: dict[str, str] | None = None, added: dict[str, str] | None = None
) -> None:
    """Change the constraints of a table on SQLite, in the text of its definition.

    SQLite offers this for constraints without an index: the rows stay as they are, so nothing is copied. A change of
    `schema_version` lets other connections read the definition again.
    """
    bind = op.get_bind()
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    found = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name").bindparams(
        name=table
    )
    definition: str = bind.execute(found).scalar_one()
    for name, rule in (dropped or {}).items():
        pattern = rf",\s*CONSTRAINT {name} {re.escape(rule)}"
        definition, count = re.subn(pattern, "", definition)
        if count != 1:
            raise RuntimeError(f"the definition of {table} has no constraint {name} as a migration made it")
    if added:
        lines = "".join(f", \n\tCONSTRAINT {name} {rule}" for name, rule in added.items())
        definition = f"{definition.rstrip().removesuffix(')').rstrip()}{lines}\n)"
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    written = sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :name")
    bind.execute(written.bindparams(sql=definition, name=table))
    bind.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = RESET")
