"""The first schema.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
oldest_program = "0001"


def upgrade() -> None:
    """Everything there is at first."""
    op.create_table(
        "calendar",
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_calendar")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("node", sa.String(length=200), nullable=False),
        sa.Column("ticked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lag_seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "idempotency",
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency")),
    )
    op.create_index("ix_idempotency__created_at", "idempotency", ["created_at"], unique=False)

    op.create_table(
        "policy",
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_by", sa.String(length=210), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_policy__version")),
        sa.PrimaryKeyConstraint("code", "version", name=op.f("pk_policy")),
    )
    op.create_table(
        "reference_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_reference_version__single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reference_version")),
    )
    op.create_table(
        "sandbox_clock",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("now", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_sandbox_clock__single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_clock")),
    )
    op.create_table(
        "user_account",
        sa.Column("login", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("deputy", sa.String(length=200), nullable=True),
        sa.Column("absent_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("absent_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "absent_until IS NULL OR absent_from IS NOT NULL", name=op.f("ck_user_account__absence_begins")
        ),
        sa.ForeignKeyConstraint(["deputy"], ["user_account.login"], name=op.f("fk_user_account__deputy")),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_user_account")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("login", sa.String(length=200), nullable=True),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=210), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["login"], ["user_account.login"], name=op.f("fk_api_key__login")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("name", name=op.f("uq_api_key__name")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_api_key__secret_digest")),
    )
    op.create_table(
        "department",
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("head", sa.String(length=200), nullable=True),
        sa.Column("deputy", sa.String(length=200), nullable=True),
        sa.Column("parent", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["deputy"], ["user_account.login"], name=op.f("fk_department__deputy")),
        sa.ForeignKeyConstraint(["head"], ["user_account.login"], name=op.f("fk_department__head")),
        sa.ForeignKeyConstraint(["parent"], ["department.code"], name=op.f("fk_department__parent")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_department")),
    )
    op.create_table(
        "import_job",
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
        sa.CheckConstraint(
            "(status = 'completed') = (finished_at IS NOT NULL)", name=op.f("ck_import_job__finished_at")
        ),
        sa.CheckConstraint("status IN ('running', 'completed')", name=op.f("ck_import_job__status")),
        sa.CheckConstraint(
            "done = accepted + duplicates + failed AND done <= rows", name=op.f("ck_import_job__adds_up")
        ),
        sa.ForeignKeyConstraint(["login"], ["user_account.login"], name=op.f("fk_import_job__login")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_job")),
    )
    op.create_index(
        "ix_import_job__running",
        "import_job",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("status = 'running'"),
        sqlite_where=sa.text("status = 'running'"),
    )

    op.create_table(
        "import_error",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("errors", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import_job.id"], name=op.f("fk_import_error__import_id")),
        sa.PrimaryKeyConstraint("import_id", "row", name=op.f("pk_import_error")),
    )
    op.create_table(
        "team",
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("department", sa.String(length=200), nullable=False),
        sa.Column("lead", sa.String(length=200), nullable=True),
        sa.Column("deputy", sa.String(length=200), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["department"], ["department.code"], name=op.f("fk_team__department")),
        sa.ForeignKeyConstraint(["deputy"], ["user_account.login"], name=op.f("fk_team__deputy")),
        sa.ForeignKeyConstraint(["lead"], ["user_account.login"], name=op.f("fk_team__lead")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_team")),
    )
    op.create_table(
        "category",
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("parent", sa.String(length=200), nullable=True),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column(
            "cause",
            sa.Enum(
                "technical",
                "service",
                "management",
                name="cause",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "nature",
            sa.Enum(
                "technical",
                "process",
                "personnel",
                "environment",
                name="nature",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("team", sa.String(length=200), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["parent"], ["category.code"], name=op.f("fk_category__parent")),
        sa.ForeignKeyConstraint(["team"], ["team.code"], name=op.f("fk_category__team")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_category")),
    )
    op.create_table(
        "complaint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "received",
                "investigating",
                "on_hold",
                "resolved",
                "following_up",
                "closed",
                "rejected",
                "withdrawn",
                "merged",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
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
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "severity",
            sa.Enum(
                "critical",
                "high",
                "normal",
                "low",
                name="severity",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("priority_given", sa.Boolean(), nullable=False),
        sa.Column("category", sa.String(length=200), nullable=True),
        sa.Column(
            "cause",
            sa.Enum(
                "technical",
                "service",
                "management",
                name="cause",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "nature",
            sa.Enum(
                "technical",
                "process",
                "personnel",
                "environment",
                name="nature",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("region", sa.String(length=200), nullable=True),
        sa.Column("service_type", sa.String(length=200), nullable=True),
        sa.Column("service_id", sa.String(length=200), nullable=True),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("team", sa.String(length=200), nullable=False),
        sa.Column("first_owner", sa.String(length=200), nullable=False),
        sa.Column("assignee", sa.String(length=200), nullable=True),
        sa.Column("policy_code", sa.String(length=200), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "upheld",
                "partly_upheld",
                "not_upheld",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("root_cause", sa.Text(), nullable=True),
        sa.Column("compensation_amount", sa.String(length=40), nullable=True),
        sa.Column("compensation_currency", sa.String(length=3), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "contact_outcome",
            sa.Enum(
                "solved",
                "not_solved",
                "unreachable",
                name="contact_outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("csat", sa.SmallInteger(), nullable=True),
        sa.Column("nps", sa.SmallInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overdue_after_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalation_level", sa.SmallInteger(), nullable=False),
        sa.Column("history_count", sa.Integer(), nullable=False),
        sa.Column("history_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("import_digest", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "(status = 'merged') = (merged_into IS NOT NULL)", name=op.f("ck_complaint__merged_into")
        ),
        sa.CheckConstraint(
            "(status IN ('closed', 'rejected', 'withdrawn', 'merged')) = (ended_at IS NOT NULL)",
            name=op.f("ck_complaint__ended_at"),
        ),
        sa.CheckConstraint(
            "(compensation_amount IS NULL) = (compensation_currency IS NULL)",
            name=op.f("ck_complaint__compensation"),
        ),
        sa.CheckConstraint("csat BETWEEN 1 AND 5", name=op.f("ck_complaint__csat")),
        sa.CheckConstraint("cycle >= 1", name=op.f("ck_complaint__cycle")),
        sa.CheckConstraint(
            "ended_at IS NULL OR (next_due_at IS NULL AND wake_at IS NULL)",
            name=op.f("ck_complaint__ended_is_still"),
        ),
        sa.CheckConstraint("nps BETWEEN 0 AND 10", name=op.f("ck_complaint__nps")),
        sa.CheckConstraint("priority BETWEEN 1 AND 4", name=op.f("ck_complaint__priority")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_complaint__version")),
        sa.ForeignKeyConstraint(["assignee"], ["user_account.login"], name=op.f("fk_complaint__assignee")),
        sa.ForeignKeyConstraint(["category"], ["category.code"], name=op.f("fk_complaint__category")),
        sa.ForeignKeyConstraint(
            ["first_owner"], ["user_account.login"], name=op.f("fk_complaint__first_owner")
        ),
        sa.ForeignKeyConstraint(["merged_into"], ["complaint.id"], name=op.f("fk_complaint__merged_into")),
        sa.ForeignKeyConstraint(
            ["policy_code", "policy_version"],
            ["policy.code", "policy.version"],
            name=op.f("fk_complaint__policy_code_policy_version"),
        ),
        sa.ForeignKeyConstraint(["team"], ["team.code"], name=op.f("fk_complaint__team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
        sa.UniqueConstraint("sequence", name=op.f("uq_complaint__sequence")),
    )
    op.create_index(
        "ix_complaint__assignee_received",
        "complaint",
        ["assignee", "received_at", "id"],
        unique=False,
        postgresql_where=sa.text("assignee IS NOT NULL"),
        sqlite_where=sa.text("assignee IS NOT NULL"),
    )
    op.create_index(
        "ix_complaint__escalated",
        "complaint",
        ["escalation_level", "received_at", "id"],
        unique=False,
        postgresql_where=sa.text("escalation_level > 0"),
        sqlite_where=sa.text("escalation_level > 0"),
    )
    op.create_index(
        "ix_complaint__merged_into",
        "complaint",
        ["merged_into"],
        unique=False,
        postgresql_where=sa.text("merged_into IS NOT NULL"),
        sqlite_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_index(
        "ix_complaint__next_due",
        "complaint",
        ["next_due_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_complaint__overdue",
        "complaint",
        ["overdue_after_at", "id", "team", "priority"],
        unique=False,
        postgresql_where=sa.text("overdue_after_at IS NOT NULL"),
        sqlite_where=sa.text("overdue_after_at IS NOT NULL"),
    )
    op.create_index(
        "ix_complaint__overdue_by_assignee",
        "complaint",
        ["assignee", "overdue_after_at", "id"],
        unique=False,
        postgresql_where=sa.text("assignee IS NOT NULL AND overdue_after_at IS NOT NULL"),
        sqlite_where=sa.text("assignee IS NOT NULL AND overdue_after_at IS NOT NULL"),
    )
    op.create_index(
        "ix_complaint__priority",
        "complaint",
        ["priority", "id"],
        unique=False,
    )
    op.create_index(
        "ix_complaint__received",
        "complaint",
        ["received_at", "id", "team", "category", "source"],
        unique=False,
    )
    op.create_index(
        "ix_complaint__status_received",
        "complaint",
        ["status", "received_at", "id", "team"],
        unique=False,
    )
    op.create_index(
        "ix_complaint__wake",
        "complaint",
        ["wake_at", "id"],
        unique=False,
        postgresql_where=sa.text("wake_at IS NOT NULL AND parked_at IS NULL"),
        sqlite_where=sa.text("wake_at IS NOT NULL AND parked_at IS NULL"),
    )
    op.create_index(
        "uq_complaint__external_id__source",
        "complaint",
        ["external_id", "source"],
        unique=True,
    )
    op.create_index(
        "uq_complaint__import_digest",
        "complaint",
        ["import_digest"],
        unique=True,
    )

    op.create_table(
        "complaint_tag",
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"],
            ["complaint.id"],
            name=op.f("fk_complaint_tag__complaint_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("complaint_id", "tag", name=op.f("pk_complaint_tag")),
    )
    op.create_index(
        "ix_complaint_tag__tag__complaint_id", "complaint_tag", ["tag", "complaint_id"], unique=False
    )

    op.create_table(
        "deadline",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("policy_code", sa.String(length=200), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "first_response",
                "resolution",
                "follow_up",
                "closure",
                "promise",
                name="deadline_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.SmallInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "running",
                "paused",
                "met",
                "breached",
                "met_late",
                "cancelled",
                name="deadline_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("target", sa.String(length=100), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("breached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_seconds", sa.Integer(), nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("steps_taken", sa.JSON(), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'paused') = (paused_until IS NOT NULL)", name=op.f("ck_deadline__paused_has_end")
        ),
        sa.CheckConstraint(
            "(status IN ('met', 'met_late')) = (met_at IS NOT NULL)", name=op.f("ck_deadline__met_has_time")
        ),
        sa.CheckConstraint("status <> 'met' OR met_at <= due_at", name=op.f("ck_deadline__met_in_time")),
        sa.CheckConstraint("status <> 'met_late' OR met_at > due_at", name=op.f("ck_deadline__met_late")),
        sa.CheckConstraint(
            "status NOT IN ('breached', 'met_late') OR breached_at IS NOT NULL",
            name=op.f("ck_deadline__breach_has_time"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('met', 'met_late', 'cancelled') OR wake_at IS NULL",
            name=op.f("ck_deadline__done_is_still"),
        ),
        sa.CheckConstraint("cycle >= 1 AND sequence >= 1 AND attempt >= 1", name=op.f("ck_deadline__counts")),
        sa.CheckConstraint("paused_seconds >= 0", name=op.f("ck_deadline__paused_seconds")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_deadline__complaint_id")),
        sa.ForeignKeyConstraint(
            ["policy_code", "policy_version"],
            ["policy.code", "policy.version"],
            name=op.f("fk_deadline__policy_code_policy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
        sa.UniqueConstraint(
            "complaint_id",
            "kind",
            "cycle",
            "sequence",
            "attempt",
            name=op.f("uq_deadline__complaint_id_kind_cycle_sequence_attempt"),
        ),
    )
    op.create_index(
        "ix_deadline__unmet_by_kind",
        "deadline",
        ["kind", "due_at", "complaint_id"],
        unique=False,
        postgresql_where=sa.text("status IN ('running', 'paused', 'breached')"),
        sqlite_where=sa.text("status IN ('running', 'paused', 'breached')"),
    )

    op.create_table(
        "event",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
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
                name="event_type",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=210), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_event__complaint_id")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_event")),
        sa.UniqueConstraint("complaint_id", "ordinal", name=op.f("uq_event__complaint_id_ordinal")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "awaiting_complainant",
                "awaiting_third_party",
                "outage",
                name="hold_reason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at >= started_at", name=op.f("ck_hold__ended_after_start")
        ),
        sa.CheckConstraint("until_at > started_at", name=op.f("ck_hold__ends_after_start")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_hold__complaint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index("ix_hold__complaint_id", "hold", ["complaint_id"], unique=False)
    op.create_index(
        "uq_hold__lasting",
        "hold",
        ["complaint_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )

    op.create_table(
        "link",
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "duplicate_of",
                "recurrence_of",
                "related",
                name="link_type",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("complaint_id <> other_id", name=op.f("ck_link__not_itself")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_link__complaint_id")),
        sa.ForeignKeyConstraint(["other_id"], ["complaint.id"], name=op.f("fk_link__other_id")),
        sa.PrimaryKeyConstraint("complaint_id", "type", "other_id", name=op.f("pk_link")),
    )
    op.create_index("ix_link__other_id", "link", ["other_id"], unique=False)

    op.create_table(
        "party",
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("account_no", sa.String(length=200), nullable=True),
        sa.Column(
            "preferred_contact",
            sa.Enum(
                "phone",
                "web",
                "app",
                "email",
                "sms",
                "social",
                "on_site",
                "letter",
                name="contact_channel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("language", sa.String(length=200), nullable=True),
        sa.Column("vulnerable", sa.Boolean(), nullable=False),
        sa.Column("phone_e164", sa.String(length=40), nullable=True),
        sa.Column("email_normal", sa.String(length=254), nullable=True),
        sa.CheckConstraint("role IN ('complainant', 'reporter')", name=op.f("ck_party__role")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_party__complaint_id")),
        sa.PrimaryKeyConstraint("complaint_id", "role", name=op.f("pk_party")),
    )
    op.create_index(
        "ix_party__account_no",
        "party",
        ["account_no"],
        unique=False,
        postgresql_where=sa.text("account_no IS NOT NULL"),
        sqlite_where=sa.text("account_no IS NOT NULL"),
    )
    op.create_index(
        "ix_party__email_normal",
        "party",
        ["email_normal"],
        unique=False,
        postgresql_where=sa.text("email_normal IS NOT NULL"),
        sqlite_where=sa.text("email_normal IS NOT NULL"),
    )
    op.create_index(
        "ix_party__phone_e164",
        "party",
        ["phone_e164"],
        unique=False,
        postgresql_where=sa.text("phone_e164 IS NOT NULL"),
        sqlite_where=sa.text("phone_e164 IS NOT NULL"),
    )

    op.create_table(
        "escalation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("deadline_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "first_response",
                "resolution",
                "follow_up",
                "closure",
                "promise",
                name="deadline_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("recipients", sa.JSON(), nullable=False),
        sa.Column("team", sa.String(length=200), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=210), nullable=True),
        sa.Column("acknowledged_note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name=op.f("ck_escalation__acknowledged")
        ),
        sa.CheckConstraint("(deadline_id IS NULL) = (kind IS NULL)", name=op.f("ck_escalation__kind")),
        sa.CheckConstraint("level >= 0", name=op.f("ck_escalation__level")),
        sa.CheckConstraint("taken_at >= planned_at", name=op.f("ck_escalation__none_before_its_time")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_escalation__complaint_id")),
        sa.ForeignKeyConstraint(["deadline_id"], ["deadline.id"], name=op.f("fk_escalation__deadline_id")),
        sa.ForeignKeyConstraint(["team"], ["team.code"], name=op.f("fk_escalation__team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation")),
        sa.UniqueConstraint("deadline_id", "step", name=op.f("uq_escalation__deadline_id_step")),
    )
    op.create_index("ix_escalation__complaint_id", "escalation", ["complaint_id", "taken_at"], unique=False)
    op.create_index("ix_escalation__taken_at", "escalation", ["taken_at", "id"], unique=False)
    op.create_index("ix_escalation__team_taken_at", "escalation", ["team", "taken_at", "id"], unique=False)
    op.create_index(
        "ix_escalation__unacknowledged",
        "escalation",
        ["taken_at", "id"],
        unique=False,
        postgresql_where=sa.text("acknowledged_at IS NULL"),
        sqlite_where=sa.text("acknowledged_at IS NULL"),
    )

    op.create_table(
        "promise",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(length=210), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["deadline.id"], name=op.f("fk_promise__id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise")),
    )
    op.create_table(
        "escalation_recipient",
        sa.Column("login", sa.String(length=200), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalation.id"], name=op.f("fk_escalation_recipient__escalation_id")
        ),
        sa.ForeignKeyConstraint(
            ["login"], ["user_account.login"], name=op.f("fk_escalation_recipient__login")
        ),
        sa.PrimaryKeyConstraint("login", "escalation_id", name=op.f("pk_escalation_recipient")),
    )
    _create_full_text()


def _create_full_text() -> None:
    """The two engines have nothing in common here; `storage.search` hides it."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE complaint_sequence AS bigint")
        op.execute(
            "CREATE TABLE complaint_search ("
            "sequence bigint CONSTRAINT pk_complaint_search PRIMARY KEY"
            " CONSTRAINT fk_complaint_search__sequence REFERENCES complaint (sequence), terms tsvector NOT NULL)"
        )
        op.execute("CREATE INDEX ix_complaint_search__terms ON complaint_search USING gin (terms)")
    else:
        op.execute(
            "CREATE VIRTUAL TABLE complaint_search USING fts5 (terms, tokenize = 'unicode61 remove_diacritics 0')"
        )


def downgrade() -> None:
    """Back to nothing."""
    op.execute("DROP TABLE IF EXISTS event_text")  # no other step back drops it, so that no text is lost
    op.execute("DROP TABLE complaint_search")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP SEQUENCE complaint_sequence")
    op.drop_table("escalation_recipient")
    op.drop_table("promise")
    op.drop_index(
        "ix_escalation__unacknowledged",
        "escalation",
        postgresql_where=sa.text("acknowledged_at IS NULL"),
        sqlite_where=sa.text("acknowledged_at IS NULL"),
    )
    op.drop_index("ix_escalation__team_taken_at", "escalation")
    op.drop_index("ix_escalation__taken_at", "escalation")
    op.drop_index("ix_escalation__complaint_id", "escalation")

    op.drop_table("escalation")
    op.drop_index(
        "ix_party__phone_e164",
        "party",
        postgresql_where=sa.text("phone_e164 IS NOT NULL"),
        sqlite_where=sa.text("phone_e164 IS NOT NULL"),
    )
    op.drop_index(
        "ix_party__email_normal",
        "party",
        postgresql_where=sa.text("email_normal IS NOT NULL"),
        sqlite_where=sa.text("email_normal IS NOT NULL"),
    )
    op.drop_index(
        "ix_party__account_no",
        "party",
        postgresql_where=sa.text("account_no IS NOT NULL"),
        sqlite_where=sa.text("account_no IS NOT NULL"),
    )

    op.drop_table("party")
    op.drop_index("ix_link__other_id", "link")

    op.drop_table("link")
    op.drop_index(
        "uq_hold__lasting",
        "hold",
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index("ix_hold__complaint_id", "hold")

    op.drop_table("hold")
    op.drop_table("event")
    op.drop_index(
        "ix_deadline__unmet_by_kind",
        "deadline",
        postgresql_where=sa.text("status IN ('running', 'paused', 'breached')"),
        sqlite_where=sa.text("status IN ('running', 'paused', 'breached')"),
    )

    op.drop_table("deadline")
    op.drop_index("ix_complaint_tag__tag__complaint_id", "complaint_tag")

    op.drop_table("complaint_tag")
    op.drop_index("uq_complaint__import_digest", "complaint")
    op.drop_index("uq_complaint__external_id__source", "complaint")
    op.drop_index(
        "ix_complaint__wake",
        "complaint",
        postgresql_where=sa.text("wake_at IS NOT NULL AND parked_at IS NULL"),
        sqlite_where=sa.text("wake_at IS NOT NULL AND parked_at IS NULL"),
    )
    op.drop_index("ix_complaint__status_received", "complaint")
    op.drop_index("ix_complaint__received", "complaint")
    op.drop_index("ix_complaint__priority", "complaint")
    op.drop_index(
        "ix_complaint__overdue_by_assignee",
        "complaint",
        postgresql_where=sa.text("assignee IS NOT NULL AND overdue_after_at IS NOT NULL"),
        sqlite_where=sa.text("assignee IS NOT NULL AND overdue_after_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_complaint__overdue",
        "complaint",
        postgresql_where=sa.text("overdue_after_at IS NOT NULL"),
        sqlite_where=sa.text("overdue_after_at IS NOT NULL"),
    )
    op.drop_index("ix_complaint__next_due", "complaint")
    op.drop_index(
        "ix_complaint__merged_into",
        "complaint",
        postgresql_where=sa.text("merged_into IS NOT NULL"),
        sqlite_where=sa.text("merged_into IS NOT NULL"),
    )
    op.drop_index(
        "ix_complaint__escalated",
        "complaint",
        postgresql_where=sa.text("escalation_level > 0"),
        sqlite_where=sa.text("escalation_level > 0"),
    )
    op.drop_index(
        "ix_complaint__assignee_received",
        "complaint",
        postgresql_where=sa.text("assignee IS NOT NULL"),
        sqlite_where=sa.text("assignee IS NOT NULL"),
    )

    op.drop_table("complaint")
    op.drop_table("category")
    op.drop_table("team")
    op.drop_table("import_error")
    op.drop_index(
        "ix_import_job__running",
        "import_job",
        postgresql_where=sa.text("status = 'running'"),
        sqlite_where=sa.text("status = 'running'"),
    )

    op.drop_table("import_job")
    op.drop_table("department")
    op.drop_table("api_key")
    op.drop_table("user_account")
    op.drop_table("sandbox_clock")
    op.drop_table("reference_version")
    op.drop_table("policy")
    op.drop_index("ix_idempotency__created_at", "idempotency")

    op.drop_table("idempotency")
    op.drop_table("heartbeat")
    op.drop_table("calendar")
