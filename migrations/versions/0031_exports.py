"""Views for analysis, without persons and texts, and an access log that also knows exports of many complaints.

Revision: 0031
Revises: 0030
"""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None
oldest_program = "0014"

# Damm's table of check digits, row by row (ISO 7064 has no part for it).
_DAMM = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip
_PRIORITIES = ("urgent", "high", "normal", "low")


def _digits() -> str:
    """The digits of a sequence number in a number of a complaint: at least 8."""
    short = "substr(CAST(sequence + 100000000 AS text), 2)"
    return f"CASE WHEN sequence < 100000000 THEN {short} ELSE CAST(sequence AS text) END"


def _number() -> str:
    """The number of a complaint as people read it. It walks along `digits` to the check digit."""
    next_one = "1 + 10 * found + CAST(substr(digits, place + 1, 1) AS integer)"
    next_found = f"CAST(substr('{''.join(_DAMM)}', {next_one}, 1) AS integer)"
    return (
        "'C' || digits || (WITH RECURSIVE damm(place, found) AS (SELECT 0, 0 UNION ALL "  # noqa: S608 - our own names
        f"SELECT place + 1, {next_found} FROM damm WHERE place < length(digits)) "
        "SELECT CAST(found AS text) FROM damm WHERE place = length(digits))"
    )


def _priority() -> str:
    words = " ".join(f"WHEN {rank} THEN '{word}'" for rank, word in enumerate(_PRIORITIES, start=1))
    return f"CASE priority {words} END"


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _name(language: str) -> str:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    return f"json_extract(names, '$.{language}')" if on_sqlite else f"names ->> '{language}'"


def _views() -> dict[str, tuple[Mapping[str, str], str]]:
    """Columns with their expressions, and what the rows come from, by the name of the view."""
    of_complaints = "WHERE complaint_id IS NOT NULL"
    named = {"name_en": _name("en"), "name_zh": _name("zh")}
    complaint = {
        **_same("id"),
        "number": _number(),
        **_same(
            "status", "cycle", "version", "channel", "source", "external_id", "severity", "region", "service_type",
            "category", "cause", "nature",
        ),
        "priority": _priority(),
        **_same(
            "team", "first_owner", "assignee", "policy_code", "policy_version", "received_at", "created_at",
            "updated_at", "next_due_at", "overdue_after_at", "escalation_level", "outcome",
        ),
        "compensation_amount": "CAST(compensation_amount AS numeric)",
        **_same(
            "compensation_currency", "resolved_at", "result_told_at", "contact_outcome", "csat", "nps", "ended_at",
            "merged_into",
        ),
    }  # fmt: skip
    stored = ", ".join(name for name in complaint if name != "number")
    return {
        "v1_complaint": (
            complaint,
            f"(SELECT {stored}, {_digits()} AS digits FROM complaint) AS counted",  # noqa: S608 - our own names
        ),
        "v1_deadline": (
            _same(
                "id", "complaint_id", "kind", "cycle", "sequence", "attempt", "policy_code", "policy_version", "status",
                "started_at", "due_at", "met_at", "breached_at", "paused_seconds", "level",
            ),
            f"deadline {of_complaints}",
        ),
        "v1_event": (
            _same("sequence", "id", "complaint_id", "version", "type", "at", "actor"),
            f"event {of_complaints}",
        ),
        "v1_escalation": (
            _same(
                "id", "complaint_id", "deadline_id", "kind", "step", "level", "planned_at", "taken_at",
                "acknowledged_at", "acknowledged_by",
            ),
            f"escalation {of_complaints}",
        ),
        "v1_link": (
            _same("complaint_id", "type", "other_id"),
            f"link {of_complaints} AND other_id IS NOT NULL",
        ),
        "v1_team": ({"code": "code", **named, **_same("department", "active")}, "team"),
        "v1_department": ({"code": "code", **named, "parent": "parent"}, "department"),
        "v1_category": (
            {"code": "code", **named, **_same("parent", "cause", "nature", "team", "active")},
            "category",
        ),
    }  # fmt: skip


def upgrade() -> None:
    """Make the views. An entry of the access log may be without a complaint; the program before passes over it."""
    with op.batch_alter_table("access_log") as batch:
        batch.alter_column("complaint_id", existing_type=sa.Uuid(), nullable=True)
    for name, (columns, source) in _views().items():
        listed = ", ".join(f"{expression} AS {column}" for column, expression in columns.items())
        op.execute(f"CREATE VIEW {name} AS SELECT {listed} FROM {source}")  # noqa: S608 - our own names


def downgrade() -> None:
    """Drop the views. Entries about exports stay, so the access log stays as it is."""
    for name in reversed([*_views()]):
        op.execute(f"DROP VIEW {name}")
