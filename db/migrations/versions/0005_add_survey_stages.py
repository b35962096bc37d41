"""add the ratings by stage, the special questions, and drafts of answers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STAGES = ("booking", "on_site", "follow_up", "confirmation")


def upgrade() -> None:
    for stage in STAGES:
        op.add_column("survey_answers", sa.Column(stage, sa.SmallInteger(), nullable=True))
        op.create_check_constraint(
            op.f(f"ck_survey_answers_{stage}_score"), "survey_answers", f"{stage} BETWEEN 1 AND 5"
        )
    for words in (*(f"{stage}_improvement" for stage in STAGES), "best_point", "most_wanted"):
        op.add_column("survey_answers", sa.Column(words, sa.Text(), server_default="", nullable=False))
    for question in ("solved_in_one_visit", "called_afterwards"):
        op.add_column("survey_answers", sa.Column(question, sa.Boolean(), nullable=True))
    op.create_table(
        "survey_drafts",
        sa.Column("survey_id", sa.BigInteger(), nullable=False),
        sa.Column("filled_in", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["survey_id"], ["surveys.id"], name=op.f("fk_survey_drafts_survey_id")),
        sa.PrimaryKeyConstraint("survey_id", name=op.f("pk_survey_drafts")),
    )
