"""add care taken of customers who may be lost"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "care_taken",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signs", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "action IN ('apology', 'call', 'expert_visit', 'goodwill', 'other')",
            name=op.f("ck_care_taken_action_known"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_care_taken_customer_id")),
        sa.ForeignKeyConstraint(["taken_by"], ["staff.id"], name=op.f("fk_care_taken_taken_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_taken")),
    )
    op.create_index(op.f("ix_care_taken_at"), "care_taken", ["at"])
    op.create_index(op.f("ix_care_taken_customer_id"), "care_taken", ["customer_id"])
