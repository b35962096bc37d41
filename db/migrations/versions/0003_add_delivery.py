"""add delivery: media, reports, suppressions, inbox"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KINDS = (
    "appointment_confirmed",
    "appointment_reminder",
    "callback_promised",
    "delay_reported",
    "first_contact_made",
    "follow_up_visit",
    "plan_proposed",
    "plan_revised",
    "progress_step",
    "question_asked",
    "staff_assigned",
    "staff_callback_due",
    "staff_callback_overdue",
    "staff_channel_stopped",
    "staff_customer_answered",
    "staff_customer_wrote",
    "staff_message_failed",
    "staff_sla_breach",
    "staff_sla_escalation",
    "staff_sla_warning",
    "staff_support_requested",
    "survey_invitation",
    "survey_reminder",
    "survey_thanks",
    "ticket_assigned",
    "ticket_cancelled",
    "ticket_closed",
    "ticket_joined",
    "ticket_received",
    "ticket_reopened",
    "ticket_transferred",
    "ticket_updates",
    "weekly_digest",
    "work_completed",
)
_STATES = ("accepted", "delivered", "failed", "merged", "queued", "sending", "unknown", "withheld")


def _moment(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _renew(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def _in(column: str, words: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{word}'" for word in words)
    return f"{column} IN ({listed})"


def upgrade() -> None:
    op.add_column("customers", _moment("declined_surveys_at"))
    op.add_column("staff", _moment("declined_digests_at"))
    # An address is one whatever its case.
    op.drop_constraint(op.f("uq_staff_email"), "staff", type_="unique")
    op.create_index("uq_staff_email", "staff", [sa.text("lower(email)")], unique=True)
    for dimension in ("efficiency", "attitude", "solution"):
        op.alter_column("survey_answers", dimension, nullable=True)
    _renew("callbacks", "kind_known", _in("kind", ("follow_up_visit", "low_score", "phone_survey")))

    op.add_column("messages", sa.Column("switched_from", sa.Text(), nullable=True))
    op.add_column("messages", _moment("look_at"))
    op.add_column("messages", sa.Column("looks", sa.SmallInteger(), server_default="0", nullable=False))
    for counter in ("not_sent", "out_of_reach"):
        op.add_column("messages", sa.Column(counter, sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("messages", _moment("resent_at"))
    op.add_column("messages", sa.Column("merged_into", sa.BigInteger(), nullable=True))
    op.add_column("messages", sa.Column("address", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("segments", sa.SmallInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_messages_merged_into"), "messages", "messages", ["merged_into"], ["id"])
    _renew("messages", "kind_known", _in("kind", _KINDS))
    _renew("messages", "state_known", _in("state", _STATES))
    _renew("messages", "words_frozen", "state IN ('queued', 'merged', 'withheld', 'failed') OR body IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_messages_merged_has_target"), "messages", "(state = 'merged') = (merged_into IS NOT NULL)"
    )
    # What was under way is looked up as before, now by a column of its own.
    op.execute("UPDATE messages SET look_at = sending_at WHERE state IN ('sending', 'unknown')")
    op.create_check_constraint(
        op.f("ck_messages_settled_is_not_looked_up"),
        "messages",
        "look_at IS NULL OR state IN ('sending', 'unknown', 'accepted')",
    )
    op.drop_index("ix_messages_send_after", "messages")
    op.drop_index("ix_messages_sending_at", "messages")
    op.create_index(
        "ix_messages_medium_send_after",
        "messages",
        ["medium", "send_after"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index("ix_messages_look_at", "messages", ["look_at"], postgresql_where=sa.text("look_at IS NOT NULL"))
    for name, columns in (
        ("ix_messages_address_sending_at", ["address", "sending_at"]),
        ("ix_messages_provider_id", ["provider_id"]),
    ):
        op.create_index(name, "messages", columns, postgresql_where=sa.text("provider_id IS NOT NULL"))
    op.create_index(
        "ix_messages_unclear", "messages", ["id"], postgresql_where=sa.text("state IN ('failed', 'unknown')")
    )

    op.create_table(
        "message_reports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        _moment("at", nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_message_reports_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_reports")),
    )
    op.create_index("ix_message_reports_message_id", "message_reports", ["message_id"])
    op.create_table(
        "media",
        sa.Column("medium", sa.Text(), nullable=False),
        _moment("stopped_at"),
        sa.Column("stop_code", sa.Text(), nullable=True),
        sa.Column("tokens", sa.Float(), server_default="0", nullable=False),
        _moment("refilled_at"),
        sa.Column("spent_on", sa.Date(), nullable=True),
        sa.Column("segments", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("medium IN ('email', 'sms')", name=op.f("ck_media_medium_known")),
        sa.CheckConstraint("(stopped_at IS NULL) = (stop_code IS NULL)", name=op.f("ck_media_stop_has_code")),
        sa.PrimaryKeyConstraint("medium", name=op.f("pk_media")),
    )
    op.execute("INSERT INTO media (medium) VALUES ('sms'), ('email')")
    op.create_table(
        "suppressions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("medium", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        _moment("since", nullable=False),
        _moment("lifted_at"),
        sa.CheckConstraint("medium IN ('email', 'sms')", name=op.f("ck_suppressions_medium_known")),
        sa.CheckConstraint(
            "reason IN ('bad_address', 'complained', 'opted_out')", name=op.f("ck_suppressions_reason_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
    )
    op.create_index(
        "uq_suppressions_address",
        "suppressions",
        ["address"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _moment("received_at", nullable=False),
        _moment("handled_at"),
        sa.Column("result", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_inbox_source_key")),
    )
    op.create_index(
        "ix_inbox_received_at_pending",
        "inbox",
        ["received_at"],
        postgresql_where=sa.text("handled_at IS NULL"),
    )
