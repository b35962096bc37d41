"""add webhooks: who is told of events, and what they are still to be told"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "webhook_subscriptions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("old_salts", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("failures", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("retry_at", moment, nullable=True),
        sa.Column("last_code", sa.Text(), nullable=True),
        sa.Column("last_taken_at", moment, nullable=True),
        sa.Column("paused_at", moment, nullable=True),
        sa.Column("pause_code", sa.Text(), nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.CheckConstraint(
            "(paused_at IS NULL) = (pause_code IS NULL)", name=op.f("ck_webhook_subscriptions_pause_has_code")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_webhook_subscriptions_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_subscriptions")),
    )
    op.create_index(
        "uq_webhook_subscriptions_url",
        "webhook_subscriptions",
        ["url"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_tried_at", moment, nullable=True),
        sa.Column("last_code", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["webhook_subscriptions.id"],
            name=op.f("fk_webhook_deliveries_subscription_id"),
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id", "seq"],
            ["ticket_events.ticket_id", "ticket_events.seq"],
            name=op.f("fk_webhook_deliveries_ticket_id_seq"),
        ),
        sa.PrimaryKeyConstraint("subscription_id", "ticket_id", "seq", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index("ix_webhook_deliveries_subscription_id_due_at", "webhook_deliveries", ["subscription_id", "due_at"])
    # With the event, in its transaction, whoever writes it: nothing is forgotten, and nothing is told that was undone.
    op.execute("""
        CREATE FUNCTION owe_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO webhook_deliveries (subscription_id, ticket_id, seq, due_at)
            SELECT s.id, e.ticket_id, e.seq, e.at
            FROM webhook_subscriptions s CROSS JOIN new_events e
            WHERE s.ended_at IS NULL AND (s.kinds = '{}' OR e.kind = ANY (s.kinds));
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER ticket_events_are_told AFTER INSERT ON ticket_events
        REFERENCING NEW TABLE AS new_events FOR EACH STATEMENT EXECUTE FUNCTION owe_webhooks()
    """)
