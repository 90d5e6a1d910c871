"""Notifications: what is sent to whom, the preferences of users, and group robots.

Revision: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None
oldest_program = "0014"


def upgrade() -> None:
    """Only new tables: no program of before looks at them."""
    _make_deliveries()
    op.create_table(
        "notification_preference",
        sa.Column("login", sa.String(200), sa.ForeignKey("user_account.login"), primary_key=True),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("timezone", sa.String(100)),
        sa.Column("immediate_level", sa.SmallInteger(), nullable=False),
        sa.Column("digest_times", sa.JSON(), nullable=False),
        sa.Column("quiet_from", sa.String(5)),
        sa.Column("quiet_until", sa.String(5)),
        sa.Column("remind_every_seconds", sa.Integer()),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", name="quiet"),
        sa.CheckConstraint("immediate_level >= 0", name="immediate_level"),
        sa.CheckConstraint("remind_every_seconds > 0", name="remind_every"),
    )
    op.create_table(
        "robot",
        sa.Column("code", sa.String(100), primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text()),
        sa.Column("teams", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sent_at", sa.JSON(), nullable=False),
        sa.Column("barred_until", sa.DateTime(timezone=True)),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('wecom', 'dingtalk', 'feishu')", name="robot_kind"),
    )


def _make_deliveries() -> None:
    op.create_table(
        "message_delivery",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("audience", sa.String(40), nullable=False),
        sa.Column("recipient", sa.String(200), nullable=False),
        sa.Column("template", sa.String(60), nullable=False),
        sa.Column("repetition", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), sa.ForeignKey("complaint.id")),
        sa.Column("subject_id", sa.Uuid(), sa.ForeignKey("subject.id")),
        sa.Column("escalation_id", sa.Uuid(), sa.ForeignKey("escalation.id")),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("channel", sa.String(40)),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("digest", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.String(200)),
        sa.Column("receipt", sa.String(40)),
        sa.Column("receipts", sa.JSON(), nullable=False),
        sa.Column("fault", sa.String(200)),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint(
            "event_id", "recipient", "template", "audience", "repetition", name="uq_message_delivery__message"
        ),
        sa.CheckConstraint("(status = 'waiting') = (next_attempt_at IS NOT NULL)", name="next_attempt"),
        sa.CheckConstraint("(status = 'waiting') = (settled_at IS NULL)", name="settled"),
        sa.CheckConstraint("status <> 'waiting' OR channel IS NOT NULL", name="channel"),
        sa.CheckConstraint("attempts >= 0 AND repetition >= 0 AND level >= 0", name="counts"),
        sa.CheckConstraint("audience IN ('staff', 'complainant')", name="audience"),
        sa.CheckConstraint("channel IN ('mail', 'sms', 'robot')", name="message_channel"),
        sa.CheckConstraint("status IN ('waiting', 'accepted', 'undelivered', 'moot')", name="message_status"),
        sa.CheckConstraint("receipt IN ('delivered', 'failed')", name="receipt_status"),
    )
    waiting, of_escalations = sa.text("status = 'waiting'"), sa.text("escalation_id IS NOT NULL")
    indexes = (
        ("waiting", ["channel", "due_at"], waiting),
        ("escalation_id", ["escalation_id"], of_escalations),
        ("complaint_id", ["complaint_id", "created_at", "id"], None),
        ("created_at", ["created_at", "id"], None),
        ("undelivered", ["escalation_id"], sa.text("status = 'undelivered'")),
    )
    for name, columns, where in indexes:
        options = {} if where is None else {"postgresql_where": where, "sqlite_where": where}
        op.create_index(f"ix_message_delivery__{name}", "message_delivery", columns, **options)


def downgrade() -> None:
    """Drop the tables. Nobody can say afterwards who was told what."""
    op.drop_table("robot")
    op.drop_table("notification_preference")
    op.drop_table("message_delivery")
