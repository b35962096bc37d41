"""add how long messages took to be handed over"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handovers",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("medium", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("took", sa.Double(), nullable=False),
        sa.Column("waited", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handovers")),
        if_not_exists=True,
    )
    op.create_index("ix_handovers_at", "handovers", ["at"], if_not_exists=True)
