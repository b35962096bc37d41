"""add quality scores"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quality_samples",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("week", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("per_person", sa.SmallInteger(), nullable=False),
        sa.Column("scored_twice", sa.Float(), nullable=False),
        sa.Column("population", postgresql.JSONB(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_by", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["drawn_by"], ["staff.id"], name=op.f("fk_quality_samples_drawn_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_samples")),
        sa.UniqueConstraint("week", name=op.f("uq_quality_samples_week")),
    )
    op.create_table(
        "quality_cases",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sample_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("assessed_id", sa.BigInteger(), nullable=False),
        sa.Column("needs_two", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["assessed_id"], ["staff.id"], name=op.f("fk_quality_cases_assessed_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["quality_samples.id"], name=op.f("fk_quality_cases_sample_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_quality_cases_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_cases")),
        sa.UniqueConstraint("sample_id", "ticket_id", name=op.f("uq_quality_cases_sample_id_ticket_id")),
    )
    op.create_index(op.f("ix_quality_cases_assessed_id"), "quality_cases", ["assessed_id"])
    op.create_index(op.f("ix_quality_cases_ticket_id"), "quality_cases", ["ticket_id"])
    op.create_table(
        "quality_scores",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("inspector_id", sa.BigInteger(), nullable=False),
        sa.Column("marks", postgresql.JSONB(), nullable=False),
        sa.Column("comments", postgresql.JSONB(), nullable=False),
        sa.Column("percent", sa.Float(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "grade IN ('acceptable', 'excellent', 'good', 'needs_improvement')",
            name=op.f("ck_quality_scores_grade_known"),
        ),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_quality_scores_percent_is_one")),
        sa.ForeignKeyConstraint(["case_id"], ["quality_cases.id"], name=op.f("fk_quality_scores_case_id")),
        sa.ForeignKeyConstraint(["inspector_id"], ["staff.id"], name=op.f("fk_quality_scores_inspector_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_scores")),
        sa.UniqueConstraint("case_id", "inspector_id", name=op.f("uq_quality_scores_case_id_inspector_id")),
    )
    op.create_index(op.f("ix_quality_scores_scored_at"), "quality_scores", ["scored_at"])
