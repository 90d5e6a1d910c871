"""Webhooks: subscriptions, deliveries, and the attempts to deliver.

Revision: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None
oldest_program = "0014"

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PENDING = sa.text("next_attempt_at IS NOT NULL")
_AWAKE = sa.text("wake_at IS NOT NULL")


def upgrade() -> None:
    """Make the tables. The program before this one does not know them: with it nothing is sent."""
    _make_webhook()
    _make_delivery()
    _make_attempt()


def _make_webhook() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("event_types", sa.JSON(), nullable=False),
        sa.Column("payload", sa.String(length=10), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.Column("exclude_actors", sa.JSON(), nullable=False),
        sa.Column("secret", sa.String(length=120), nullable=False),
        sa.Column("previous_secret", sa.String(length=120), nullable=True),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.String(length=40), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=210), nullable=False),
        sa.Column("owner_key", sa.String(length=200), nullable=True),
        sa.Column("owner_login", sa.String(length=200), nullable=True),
        sa.Column("start_after", sa.BigInteger(), nullable=False),
        sa.Column("planned", sa.BigInteger(), nullable=False),
        sa.Column("replays", sa.Integer(), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_id", sa.Uuid(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("payload IN ('thin', 'full')", name=op.f("ck_webhook__payload")),
        sa.CheckConstraint("format IN ('standard', 'cloudevents')", name=op.f("ck_webhook__format")),
        sa.CheckConstraint("status IN ('active', 'disabled')", name=op.f("ck_webhook__webhook_status")),
        sa.CheckConstraint(
            "disabled_reason IN ('request', 'gone', 'failing', 'access_lost')",
            name=op.f("ck_webhook__disabled_reason"),
        ),
        sa.CheckConstraint(
            "(status = 'disabled') = (disabled_reason IS NOT NULL)", name=op.f("ck_webhook__disabled")
        ),
        sa.CheckConstraint(
            "(previous_secret IS NULL) = (previous_until IS NULL)", name=op.f("ck_webhook__previous")
        ),
        sa.CheckConstraint("(lease_id IS NULL) = (leased_until IS NULL)", name=op.f("ck_webhook__lease")),
        sa.CheckConstraint(
            "owner_key IS NOT NULL OR owner_login IS NOT NULL", name=op.f("ck_webhook__owner")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_index("ix_webhook__wake", "webhook", ["wake_at"], postgresql_where=_AWAKE, sqlite_where=_AWAKE)


def _make_delivery() -> None:
    op.create_table(
        "webhook_delivery",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("event_sequence", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("replay", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'delivered', 'failed')", name=op.f("ck_webhook_delivery__delivery_state")
        ),
        sa.CheckConstraint(
            "(state = 'pending') = (next_attempt_at IS NOT NULL)", name=op.f("ck_webhook_delivery__planned")
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_webhook_delivery__attempts")),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery__webhook_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint(
            "webhook_id",
            "event_sequence",
            "replay",
            name=op.f("uq_webhook_delivery__webhook_id_event_sequence_replay"),
        ),
        sqlite_autoincrement=True,
    )
    for name, columns in {
        "ix_webhook_delivery__due": ["webhook_id", "next_attempt_at", "id"],
        "ix_webhook_delivery__waiting": ["webhook_id", "owner_id", "id"],
    }.items():
        op.create_index(name, "webhook_delivery", columns, postgresql_where=_PENDING, sqlite_where=_PENDING)


def _make_attempt() -> None:
    op.create_table(
        "webhook_attempt",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", _SERIAL, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("failure", sa.String(length=40), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_attempt__webhook_id")),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["webhook_delivery.id"], name=op.f("fk_webhook_attempt__delivery_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempt")),
        sa.UniqueConstraint("delivery_id", "attempt", name=op.f("uq_webhook_attempt__delivery_id_attempt")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhook_attempt__webhook", "webhook_attempt", ["webhook_id", "id"])


def downgrade() -> None:
    """Drop the tables. The place of the follower stays: a step back may not lose rows of the core."""
    op.drop_table("webhook_attempt")
    op.drop_table("webhook_delivery")
    op.drop_table("webhook")
