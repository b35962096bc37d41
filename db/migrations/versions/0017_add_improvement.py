"""add improvement: root causes with their evidence, the actions that follow, surveys that ask again"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_KINDS = """
    appointment_confirmed
    appointment_reminder
    callback_promised
    delay_reported
    first_contact_made
    follow_up_visit
    plan_proposed
    plan_revised
    progress_step
    question_asked
    staff_assigned
    staff_callback_due
    staff_callback_overdue
    staff_channel_stopped
    staff_customer_answered
    staff_customer_wrote
    staff_improvement_action
    staff_message_failed
    staff_sla_breach
    staff_sla_escalation
    staff_sla_warning
    staff_support_requested
    survey_again
    survey_invitation
    survey_reminder
    survey_thanks
    ticket_assigned
    ticket_cancelled
    ticket_closed
    ticket_joined
    ticket_received
    ticket_reopened
    ticket_transferred
    ticket_updates
    weekly_digest
    work_completed
"""


def _key() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "root_causes",
        _key(),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("whys", ARRAY(sa.Text()), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("written_by", sa.BigInteger(), nullable=False),
        sa.Column("written_at", moment, nullable=False),
        sa.CheckConstraint("cardinality(whys) BETWEEN 1 AND 5", name=op.f("ck_root_causes_whys_number")),
        sa.ForeignKeyConstraint(["written_by"], ["staff.id"], name=op.f("fk_root_causes_written_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_root_causes")),
    )
    op.create_table(
        "root_cause_evidence",
        sa.Column("root_cause_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("survey_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["root_cause_id"], ["root_causes.id"], name=op.f("fk_root_cause_evidence_root_cause_id")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_root_cause_evidence_ticket_id")),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["survey_answers.survey_id"], name=op.f("fk_root_cause_evidence_survey_id")
        ),
        sa.PrimaryKeyConstraint("root_cause_id", "ticket_id", name=op.f("pk_root_cause_evidence")),
    )
    op.create_index(op.f("ix_root_cause_evidence_ticket_id"), "root_cause_evidence", ["ticket_id"])
    op.create_table(
        "improvement_actions",
        _key(),
        sa.Column("root_cause_id", sa.BigInteger(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("responsible_id", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("expected_effect", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("product_model", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("next_step_at", moment, nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("told_customers", sa.Text(), server_default="", nullable=False),
        *(
            sa.CheckConstraint(check, name=op.f(f"ck_improvement_actions_{name}"))
            for name, check in (
                ("department_known", "department IN ('parts_supply', 'service', 'technical_support')"),
                ("category_known", "category IN ('complaint', 'guarantee', 'product_fault', 'usage_question')"),
                ("stage_known", "stage IN ('booking', 'confirmation', 'follow_up', 'on_site')"),
                ("state_known", "state IN ('done', 'dropped', 'open')"),
                ("over_has_end", "(state = 'open') = (ended_at IS NULL)"),
                ("over_has_outcome", "(ended_at IS NULL) = (outcome IS NULL)"),
                ("open_is_reminded", "state <> 'open' OR next_step_at IS NOT NULL"),
                ("dropped_is_silent", "state <> 'dropped' OR next_step_at IS NULL"),
            )
        ),
        *(
            sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_improvement_actions_{column}"))
            for column, target in (
                ("root_cause_id", "root_causes.id"),
                ("responsible_id", "staff.id"),
                ("decided_by", "staff.id"),
                ("ended_by", "staff.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_improvement_actions")),
    )
    op.create_index("ix_improvement_actions_root_cause_id", "improvement_actions", ["root_cause_id"])
    for name, column, where in (
        ("ix_improvement_actions_due_on_open", "due_on", "state = 'open'"),
        ("ix_improvement_actions_next_step_at", "next_step_at", "next_step_at IS NOT NULL"),
    ):
        op.create_index(name, "improvement_actions", [column], postgresql_where=sa.text(where))
    op.add_column("surveys", sa.Column("action_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_surveys_action_id"), "surveys", "improvement_actions", ["action_id"], ["id"])
    op.create_index("ix_surveys_action_id", "surveys", ["action_id"], postgresql_where=sa.text("action_id IS NOT NULL"))
    op.create_unique_constraint(
        op.f("uq_surveys_ticket_id_completion_no_action_id"),
        "surveys",
        ["ticket_id", "completion_no", "action_id"],
        postgresql_nulls_not_distinct=True,
    )
    op.drop_constraint(op.f("uq_surveys_ticket_id_completion_no"), "surveys", type_="unique")
    op.drop_constraint(op.f("ck_messages_kind_known"), "messages", type_="check")
    kinds = ", ".join(f"'{kind}'" for kind in _KINDS.split())
    op.create_check_constraint(op.f("ck_messages_kind_known"), "messages", f"kind IN ({kinds})")
